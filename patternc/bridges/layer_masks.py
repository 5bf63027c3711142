"""The mask of one layer for formats that hold masks alone, and what such a format would lose.

What a layer has beside its mask (score modifiers, sinks, counted pairs, further softmaxes) is never
dropped unasked. Does not know any format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from patternc.ir.sources import TOKENS, word_of
from patternc.pattern import Pattern
from patternc.queries.arguments import Input
from patternc.relation.relation import Relation

Bits = NDArray[np.bool_]
Int32 = NDArray[np.int32]


class FormatError(ValueError):
    """What a format cannot hold of a pattern; the message says what, and what to do instead."""


def layer_mask(
    pattern: Pattern,
    n: int,
    layer: int,
    mask_only: bool,
    inputs: Mapping[str, Input],
    name: str,
) -> Bits:
    """Booleans [heads, n, n]. Raises `FormatError` where the layer is more than them."""
    verify_mask(pattern, layer, mask_only, name)
    found = pattern.mask(n, layer=layer, **inputs)
    if found.ndim == 4:
        raise FormatError(
            f"{name} is written for one batch element, the inputs have {len(found)}; pass those of "
            "one: NAME=value[0]"
        )
    return found


def verify_mask(pattern: Pattern, layer: int, mask_only: bool, name: str) -> None:
    """Raises `FormatError` where the layer is more than a mask of tokens, unless that is meant."""
    if not isinstance(pattern, Pattern):
        raise TypeError(f"pattern is {pattern!r}; expected a Pattern, such as Pattern.parse(text)")
    lost = tuple(dict.fromkeys(_beside(pattern, layer)))
    sources = [each for each in lost if each.startswith("keys of")]
    if lost and (sources or not mask_only):
        hint = "" if sources else "; mask_only=True gives the mask alone"
        raise FormatError(f"{name} holds a mask of tokens; it would lose {', '.join(lost)}{hint}")


def _beside(pattern: Pattern, layer: int) -> Iterator[str]:
    for relation in pattern.relations(layer):
        yield from _of_relation(relation)


def _of_relation(relation: Relation) -> Iterator[str]:
    if relation.combined is not None:
        yield f"`{relation.combined.kind}` of several softmaxes"
    for branch in relation.branches:
        if branch.source != TOKENS:
            yield f"keys of `{word_of(branch.source)}`"
        if branch.projection is not None or branch.projected:
            yield "`projection=`"
        for modifier in branch.modifiers:
            yield f"`{modifier.word}`"
    alike = {(branch.source, branch.softmax, branch.modifiers) for branch in relation.branches}
    if len(alike) < len(relation.branches) or any(x.multiplicity > 1 for x in relation.branches):
        yield "how often `mix` counts a pair"


def by_key_head(mask: Bits, kv_heads: int | None, name: str) -> Bits:
    """One mask if all heads have it, else one of each key head. Raises `FormatError`."""
    if (mask == mask[:1]).all():
        return mask[:1]
    heads = len(mask)
    groups = heads if kv_heads is None else kv_heads
    if groups < 1 or heads % groups:
        raise FormatError(f"{heads} query heads cannot share {groups} key heads")
    grouped = mask.reshape(groups, heads // groups, *mask.shape[1:])
    if not (grouped == grouped[:, :1]).all():
        raise FormatError(
            f"{name} has one mask for the query heads of a key head; with kv_heads={groups} they "
            "differ"
        )
    return grouped[:, 0]


def shared(mask: Bits, name: str) -> Bits:
    """The mask [n, n] of all heads. Raises `FormatError` where they differ."""
    if not (mask == mask[:1]).all():
        head = int((mask != mask[:1]).any((1, 2)).argmax())
        raise FormatError(f"{name} has one mask for all heads; head {head} differs from head 0")
    return np.asarray(mask[0])


def run_edges(held: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The maximal runs of true values of every row: their row, start and stop, in order."""
    padded = np.pad(held.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    row, start = np.nonzero(steps == 1)
    _, stop = np.nonzero(steps == -1)
    return row, start, stop
