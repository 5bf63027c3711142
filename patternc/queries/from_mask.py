"""Masks to programs, proved: what `Pattern.from_mask` answers.

The search is in `search.from_mask`; here its programs are compared with the mask, pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.frontend import Frontend
from patternc.frozen import frozen
from patternc.progress import working
from patternc.queries import masks
from patternc.queries.arguments import tokens
from patternc.queries.given_masks import Bits, given_mask, of_mask_mod
from patternc.search.from_mask import Board, Solution, program, solutions
from patternc.search.from_mask.terms import tokens as words

LONGEST = 4096


@frozen
class LengthCheck:
    """Another length at which the mask was evaluated: in how many pairs the program differs."""

    n: int
    differing: int


@dataclass(frozen=True, repr=False)
class MaskReport:
    """What was proved of a program that was found for a mask.

    At n its mask is the given one in every pair; `unexplained` of its `pairs` are in the run-time
    list `pairs` only, so that no rule is known for them. `lengths` are others that were tried;
    without any, nothing is known of other lengths. `inputs` are to be passed at call time.
    """

    n: int
    queries: int
    heads: int
    pairs: int
    unexplained: int
    tokens: int
    lengths: tuple[LengthCheck, ...] = ()
    inputs: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Is every pair explained by a rule?"""
        return self.unexplained == 0

    @property
    def general(self) -> bool:
        """Was it tried at other lengths, and the mask there as well?"""
        return bool(self.lengths) and not any(each.differing for each in self.lengths)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        proved = (
            f"equal to the mask in all {self.heads * self.queries * self.n:,} pairs at n = {self.n}"
        )
        lines = [f"proved: {proved}"]
        if self.unexplained:
            share = 100 * self.unexplained / max(self.pairs, 1)
            lines.append(
                f"not explained: {self.unexplained:,} of {self.pairs:,} pairs ({share:.1f} %), "
                "which are a run-time list"
            )
        for each in self.lengths:
            said = f"differs in {each.differing:,} pairs" if each.differing else "equal"
            lines.append(f"n = {each.n}: {said}")
        if not self.lengths:
            why = "the inputs are of this one" if self.inputs else "the mask was given at one"
            lines.append(f"other lengths: not known, {why}")
        if self.inputs:
            shapes = ", ".join(f"{name} {list(x.shape)}" for name, x in self.inputs.items())
            lines.append(f"inputs: {shapes}")
        return lines


def from_mask(
    mask: object,
    n: int | None = None,
    heads: int | None = None,
    lengths: Iterable[int] | None = None,
    also: Iterable[object] = (),
) -> tuple[str, MaskReport]:
    """The text of the shortest program found, and what is proved of it."""
    given = given_mask(mask, n, heads)
    if given.shape[2] > LONGEST:
        raise ValueError(
            f"the mask has n = {given.shape[2]:,}; expected at most {LONGEST:,}: pass a mask_mod, "
            "or the same mask of fewer tokens"
        )
    others = [*_others(mask, given, lengths), *_also(also, given)]
    with working("from_mask"):
        text, inputs = _proved(given, others)
    return text, _report(text, inputs, given, others)


def _others(mask: object, given: Bits, lengths: Iterable[int] | None) -> list[Bits]:
    """The masks of a mask function at other lengths, where it has some."""
    if not callable(mask):
        if lengths is not None:
            raise ValueError("lengths: only a mask function can be evaluated at other lengths")
        return []
    n, heads = given.shape[2], given.shape[0]
    if lengths is not None:
        return [of_mask_mod(mask, tokens(each, 1), heads) for each in lengths]
    found: list[Bits] = []
    for each in (n // 2 + 1, n + n // 3 + 1):
        # A function with tables of its own length has no others.
        with suppress(IndexError, RuntimeError):
            found.append(of_mask_mod(mask, each, heads))
    return found


def _also(also: Iterable[object], given: Bits) -> Iterator[Bits]:
    """The masks of other lengths, of as many heads."""
    for part in also:
        found = given_mask(part)
        if len(found) not in (1, len(given)):
            raise ValueError(f"also: a mask has {len(found)} heads; the first has {len(given)}")
        yield np.broadcast_to(found, (len(given), *found.shape[1:]))


def _proved(given: Bits, others: Sequence[Bits]) -> tuple[str, dict[str, NDArray[np.int64]]]:
    known: dict[tuple[bytes, ...], list[Solution]] = {}
    found = []
    causal = not any(
        np.triu(part, 1 + part.shape[2] - part.shape[1]).any() for part in (given, *others)
    )
    for head in range(len(given)):
        masks_of = [part[head] for part in (given, *others)]
        key = tuple(part.tobytes() for part in masks_of)
        if key not in known:
            known[key] = _of_head(masks_of, causal)
        found.append(known[key])
    for depth in range(max(map(len, found))):
        # Should a rule not mean what the search took it for, the next one is tried.
        chosen = [each[min(depth, len(each) - 1) :] for each in found]
        text, inputs = program(chosen)
        if not _differing(text, inputs, given):
            return text, inputs
    raise AssertionError(f"no program found has the mask that was given:\n{text}")


def _of_head(given: Sequence[Bits], causal: bool) -> list[Solution]:
    """Programs of all lengths, where there are any, else of the first."""
    # The longest shows most: windows, and what they are made of.
    longest = sorted(given, key=lambda part: -part.shape[1])
    joint = solutions([Board.of(part) for part in longest], causal) if len(given) > 1 else []
    exact = [each for each in joint if not each.unexplained]
    return exact or solutions([Board.of(given[0])], causal)


def _differing(text: str, inputs: Mapping[str, Any], given: Bits) -> int:
    found = masks.mask(
        Frontend(text, "<from mask>", {}), given.shape[2], given.shape[1], 0, "", None, inputs
    )
    return int((found != given).sum())


def _report(
    text: str, inputs: dict[str, NDArray[np.int64]], given: Bits, others: Sequence[Bits]
) -> MaskReport:
    heads, queries, n = given.shape
    checked = (
        ()
        if inputs
        else tuple(LengthCheck(part.shape[2], _differing(text, {}, part)) for part in others)
    )
    return MaskReport(
        n,
        queries,
        heads,
        int(given.sum()),
        _unexplained(text, inputs, given),
        words(text),
        checked,
        inputs,
    )


def _unexplained(text: str, inputs: Mapping[str, NDArray[np.int64]], given: Bits) -> int:
    """The pairs that the program has not, once its lists are empty."""
    lists = {name: np.full_like(x, -1) for name, x in inputs.items() if name.startswith("pairs")}
    return _differing(text, {**inputs, **lists}, given) if lists else 0
