"""Where the queries of a call stand, and which keys are those of their sequence.

Converts `positions`, `cache_lengths` and `key_padding` of a call to one `Placement` for each batch
element. A sequence consists of its real keys alone, numbered from 0: its length n is how many there
are. Raises `ValueError` and `TypeError`. Does not look at queries or keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen

Integers = NDArray[np.int64]


@frozen
class Run:
    """The queries first .. stop - 1 of a call, the first of which stands at `start`.

    None: they are the last rows of their sequence.
    """

    first: int
    stop: int
    start: int | None


@frozen
class Placement:
    """The real keys of a sequence, as slots of the call in order, and its queries.

    Queries in no run stand nowhere: they are padding.
    """

    slots: range | tuple[int, ...]
    runs: tuple[Run, ...]


@frozen
class Group:
    """The neighbouring batch elements `first` .. `stop` - 1, with equal placements."""

    first: int
    stop: int
    placement: Placement


def grouped(placements: list[Placement]) -> list[Group]:
    """The batch by equal neighbours, in order."""
    found = []
    for placement, some in groupby(enumerate(placements), key=lambda item: item[1]):
        numbers = [number for number, _ in some]
        found.append(Group(numbers[0], numbers[-1] + 1, placement))
    return found


def placements(
    batch: int,
    queries: int,
    n: int,
    positions: object = None,
    cache_lengths: object = None,
    key_padding: object = None,
) -> list[Placement]:
    """Where everything of a call with `n` slots of keys stands, for each batch element."""
    lengths = _lengths(cache_lengths, batch, n)
    real = _real(key_padding, batch, n)
    stated = _stated(positions, batch, queries)
    found = []
    for element in range(batch):
        used = n if lengths is None else int(lengths[element])
        slots = _slots(None if real is None else real[element, :used], used)
        if stated is not None:
            runs = _runs(_checked_positions(stated[element], len(slots), element), len(slots))
        else:
            _check_last_rows(slots, queries, used, n, element, lengths is not None)
            runs = _last_rows(slots, queries, used)
        found.append(Placement(slots, tuple(runs)))
    return found


def _slots(real: NDArray[np.bool_] | None, used: int) -> range | tuple[int, ...]:
    """The slots of real keys: a range where padding is at the ends alone."""
    if real is None:
        return range(used)
    count = int(real.sum())
    first = int(real.argmax()) if count else 0
    if real[first : first + count].all():
        return range(first, first + count)
    return tuple(real.nonzero()[0].tolist())


def _last_rows(slots: range | tuple[int, ...], queries: int, used: int) -> Iterator[Run]:
    """The queries at the last slots in use; those at padding stand nowhere."""
    origin, n = used - queries, len(slots)
    if isinstance(slots, range):
        first, stop = max(0, slots.start - origin), slots.stop - origin
        if first < stop:
            yield Run(first, stop, None)
        return
    places = np.full(used, -1)
    places[list(slots)] = np.arange(n)
    yield from _runs(places[origin:], n)


def _runs(positions: Integers, n: int) -> Iterator[Run]:
    """Queries at consecutive positions, together; negative ones stand nowhere."""
    here = positions >= 0
    starts = here.copy()
    starts[1:] &= ~here[:-1] | (positions[1:] != positions[:-1] + 1)
    stops = here.copy()
    stops[:-1] &= ~here[1:] | starts[1:]
    for first, last in zip(starts.nonzero()[0].tolist(), stops.nonzero()[0].tolist(), strict=True):
        yield Run(first, last + 1, int(positions[first]))


def _check_last_rows(
    slots: range | tuple[int, ...], queries: int, used: int, n: int, element: int, cached: bool
) -> None:
    """Queries of which none is real stand elsewhere than the caller thinks."""
    if queries > used:
        given = f"cache_lengths[{element}] is {used}" if cached else f"k has {n} tokens"
        raise ValueError(f"{given}, but q has {queries} queries; expected no more than keys in use")
    last = slots[-1] if slots else -1
    if 0 < queries < used and last < used - queries:
        raise ValueError(
            f"key_padding[{element}] leaves out the last {queries} keys in use, where the queries "
            "stand: their output would be 0. Give cache_lengths= where slots of a cache are not in "
            "use yet, or positions= (of queries that are padding -1)"
        )


def _lengths(value: object, batch: int, n: int) -> Integers | None:
    if value is None:
        return None
    found = _integers("cache_lengths", value)
    if found.shape != (batch,):
        raise ValueError(
            f"cache_lengths has shape {list(found.shape)}; expected [batch], here [{batch}]"
        )
    if batch and not 0 <= found.min() <= found.max() <= n:
        wrong = found.min() if found.min() < 0 else found.max()
        raise ValueError(f"cache_lengths has {wrong}; k has {n} slots, so expected 0 to {n}")
    return found


def _real(value: object, batch: int, n: int) -> NDArray[np.bool_] | None:
    if value is None:
        return None
    found = _array("key_padding", value)
    if found.dtype != np.bool_:
        raise TypeError(
            f"key_padding is {found.dtype}; expected booleans [batch, n], True for a real key, as "
            "attention_mask.bool() of Transformers, or ~key_padding_mask of torch"
        )
    if found.shape != (batch, n):
        raise ValueError(
            f"key_padding has shape {list(found.shape)}; expected [batch, n], here [{batch}, {n}]"
        )
    return found.astype(np.bool_, copy=False)


def _stated(value: object, batch: int, queries: int) -> Integers | None:
    if value is None:
        return None
    found = _integers("positions", value)
    if found.shape not in ((queries,), (batch, queries)):
        raise ValueError(
            f"positions has shape {list(found.shape)}; expected [queries] or [batch, queries], "
            f"here [{queries}] or [{batch}, {queries}]"
        )
    return np.broadcast_to(found, (batch, queries))


def _checked_positions(positions: Integers, n: int, element: int) -> Integers:
    if len(positions) and positions.max() >= n:
        raise ValueError(
            f"positions has {positions.max()}; the sequence of batch element {element} has {n} "
            f"keys, so positions are {f'0 to {n - 1}, and ' if n else ''}-1 for a query that is "
            "padding"
        )
    if len(positions) and positions.min() < -1:
        raise ValueError(
            f"positions has {positions.min()}; expected 0 or more, or -1 for a query that is "
            "padding"
        )
    return positions


def _integers(name: str, value: object) -> Integers:
    found = _array(name, value)
    if found.dtype.kind not in "iu" and found.size:
        raise TypeError(f"{name} is {found.dtype}; expected integers")
    return found.astype(np.int64)


def _array(name: str, value: object) -> NDArray[np.generic]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} is not an array: {error}") from error
