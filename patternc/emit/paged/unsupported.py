"""What the paged kernel cannot hold, a sentence each.

It computes one softmax over the keys of one sequence, which lie in pages, by closed forms alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patternc.algebra.walk import atoms_of
from patternc.ir.feature_maps import FeatureMap
from patternc.ir.modifiers import Absolute, Modifier, Rotary, Scale, Sink
from patternc.ir.sources import TOKENS, word_of
from patternc.modifiers.alibi import Alibi
from patternc.modifiers.softcap import SoftCap
from patternc.schedule.schedule import Group, Pass

_PLACED = "a cache holds keys as they are multiplied: leave it out of the pattern, and {} yourself"


def reasons(groups: Sequence[Group]) -> Iterator[str]:
    """Of the groups of one layer; some more than once."""
    for group in groups:
        yield from _of_group(group)


def _of_group(group: Group) -> Iterator[str]:
    if group.combined is not None:
        yield f"`{group.combined.kind}` joins several softmaxes: the paged kernel computes one"
    for item in group.branches:
        yield from _of_branch(item)


def _of_branch(item: Pass) -> Iterator[str]:
    if item.source != TOKENS:
        yield f"keys of `{word_of(item.source)}` are not in the pages of the tokens"
    if item.projection is not None or item.projected:
        names = [item.projection] if item.projection else [name for _, name in item.projected]
        yield f"`projection={names[0]}` has a q, k and v of its own: pages hold one of each"
    if any(atoms_of(item.predicate)):
        yield (
            "run-time inputs, random keys and scattered lists are tables of one sequence: pages "
            "are found by closed forms (sequences of a batch are apart anyway)"
        )
    for modifier in item.modifiers:
        yield from _of_modifier(modifier)


def _of_modifier(modifier: Modifier) -> Iterator[str]:
    match modifier:
        case Alibi("", "") | SoftCap() | Scale() | Sink():
            return
        case Alibi(slopes):
            argument = "slopes" if slopes else "position"
            yield f"`alibi({argument}=..)` takes a run-time input, which a paged call does not have"
        case Rotary():
            yield f"`rotary`: {_PLACED.format('turn q and k')}"
        case FeatureMap():
            yield (
                "`features` has no keys in pages, but a state: `feature_state` of a module that "
                "is compiled with `--backend triton` or `cpu`"
            )
        case Absolute():
            yield f"`absolute`: {_PLACED.format('add positions')}"
        case _:
            yield (
                f"`{modifier.word}` looks up a table for each pair; alibi, softcap, scale and sink "
                "do not"
            )
