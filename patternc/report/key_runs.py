"""Keys in words: from ascending positions to runs, `0 to 3`, `770 to 1,792 step 2`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_LEAST = 3  # keys that make a run of a step above 1


def key_runs(keys: Sequence[int]) -> Iterator[range]:
    """Ascending keys as runs of one step each, single keys as runs of one."""
    at = 0
    while at < len(keys):
        stop = _end(keys, at)
        step = keys[at + 1] - keys[at] if stop - at > 1 else 1
        if step > 1 and stop - at < _LEAST:
            stop, step = at + 1, 1
        yield range(keys[at], keys[stop - 1] + 1, step)
        at = stop


def _end(keys: Sequence[int], at: int) -> int:
    """Where keys from `at` on stop to be one step apart."""
    stop = at + 1
    while stop < len(keys) and keys[stop] - keys[stop - 1] == keys[at + 1] - keys[at]:
        stop += 1
    return stop


def in_words(run: range) -> str:
    """A run, ends included."""
    if len(run) == 1:
        return f"{run[0]:,}"
    return f"{run[0]:,} to {run[-1]:,}" + (f" step {run.step:,}" if run.step > 1 else "")
