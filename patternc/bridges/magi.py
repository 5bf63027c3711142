"""MagiAttention's slices: q_ranges, k_ranges and mask types, which together tile a mask.

Ranges are half-open. A slice of rows [a, b) and keys [s, e) holds, for row r and key u counted from
its corner, all (FULL 0), u <= r + (e - s) - (b - a) (CAUSAL 1), u >= r (INVCAUSAL 2), or both
(BICAUSAL 3). Every mask has slices; dilation, strides and draws have many. Source: MagiAttention
1.1, flex_flash_attn_func.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from patternc.bridges.layer_masks import Bits, FormatError, Int32, layer_mask, run_edges, shared
from patternc.pattern import FromMask, Pattern
from patternc.queries.arguments import Input

FULL, CAUSAL, INVCAUSAL, BICAUSAL = range(4)
_NAME = "MagiAttention"
# By how the start and the stop of a run move from one row to the next.
_TYPES = {(0, 0): FULL, (0, 1): CAUSAL, (1, 0): INVCAUSAL, (1, 1): BICAUSAL}
_MOST = 65_536


class Slices(NamedTuple):
    """`q_ranges` and `k_ranges` [slices, 2] int32, `attn_type_map` [slices] int32."""

    q_ranges: Int32
    k_ranges: Int32
    attn_type_map: Int32


def export(
    pattern: Pattern,
    n: int,
    *,
    layer: int = 0,
    most: int = _MOST,
    mask_only: bool = False,
    **inputs: Input,
) -> Slices:
    """The slices of a layer at n tokens, disjoint, for all heads.

    Raises `FormatError` where heads differ, where there are more than `most` slices, and where the
    layer is more than its mask, unless `mask_only`.
    """
    mask = shared(layer_mask(pattern, n, layer, mask_only, inputs, _NAME), _NAME)
    found = _slices(mask)
    if len(found) > most:
        raise FormatError(
            f"the mask has {len(found):,} slices, and most is {most:,}: strides, dilation and "
            "draws are not made of ranges"
        )
    table = np.array(found, np.int32).reshape(-1, 5)
    return Slices(table[:, :2], table[:, 2:4], table[:, 4])


def dense(q_ranges: ArrayLike, k_ranges: ArrayLike, attn_type_map: ArrayLike, n: int) -> Bits:
    """Booleans [n, n]. Raises `ValueError` for slices that overlap or are out of range."""
    queries, keys, types = map(np.asarray, (q_ranges, k_ranges, attn_type_map))
    times = np.zeros((n, n), np.int64)
    for (a, b), (s, e), kind in zip(queries, keys, types, strict=True):
        if not (0 <= a <= b <= n and 0 <= s <= e <= n and kind in range(4)):
            raise ValueError(f"slice [{a}, {b}) x [{s}, {e}) of type {kind} is not within n = {n}")
        row, key = np.arange(b - a)[:, None], np.arange(e - s)[None, :]
        held = np.ones((b - a, e - s), np.bool_)
        if kind in (CAUSAL, BICAUSAL):
            held &= key <= row + (e - s) - (b - a)
        if kind in (INVCAUSAL, BICAUSAL):
            held &= key >= row
        times[a:b, s:e] += held
    if times.max(initial=0) > 1:
        at = divmod(int(times.argmax()), n)
        raise ValueError(f"slices overlap: query {at[0]}, key {at[1]} is in {times.max()} of them")
    return np.asarray(times > 0)


def load(q_ranges: ArrayLike, k_ranges: ArrayLike, attn_type_map: ArrayLike, n: int) -> FromMask:
    """The shortest program found for slices: see `Pattern.from_mask`."""
    return Pattern.from_mask(dense(q_ranges, k_ranges, attn_type_map, n))


# First row, the run [start, stop) of its last row, the first start, and how it moves.
_Open = tuple[int, int, int, int, tuple[int, int] | None]


def _slices(mask: Bits) -> list[tuple[int, int, int, int, int]]:
    """Runs of rows whose ends stay or move by one together."""
    row, start, stop = (part.tolist() for part in run_edges(mask))
    by_row: list[list[tuple[int, int]]] = [[] for _ in range(len(mask))]
    for at, low, high in zip(row, start, stop, strict=True):
        by_row[at].append((low, high))
    done: list[tuple[int, int, int, int, int]] = []
    held: list[_Open] = []
    for at, runs in enumerate(by_row):
        held, ended = _next_row(at, runs, held)
        done += [_closed(each, at) for each in ended]
    done += [_closed(each, len(mask)) for each in held]
    return sorted(done)


def _next_row(
    at: int, runs: list[tuple[int, int]], held: list[_Open]
) -> tuple[list[_Open], list[_Open]]:
    """The slices that are open after a row, and those that end before it."""
    rest, kept = list(held), list[_Open]()
    for low, high in runs:
        fitting = (each for each in rest if _fits(each, low, high))
        each = next(fitting, None)
        if each is None:
            kept.append((at, low, high, low, None))
        else:
            rest.remove(each)
            first, before, after, origin, _ = each
            kept.append((first, low, high, origin, (low - before, high - after)))
    return kept, rest


def _fits(each: _Open, low: int, high: int) -> bool:
    _, before, after, _, moves = each
    step = low - before, high - after
    return step in _TYPES and moves in (None, step)


def _closed(each: _Open, end: int) -> tuple[int, int, int, int, int]:
    first, _, high, origin, moves = each
    return first, end, origin, high, FULL if moves is None else _TYPES[moves]
