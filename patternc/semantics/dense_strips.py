"""Dense masks of all heads, built in strips of rows so that little is needed beside the result.

Maps the meaning of heads to one array; a size that the memory cannot take is refused before
anything is allocated. The meaning of a pair is in `semantics.mask`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from patternc.algebra.evaluate import Integers

# Cells of a strip at least, and strips at most: its copies in integers are an eighth of the mask.
STRIP, STRIPS = 1 << 17, 192
# Bytes of a cell of a strip while it is made.
WORKING = 24
_MEMINFO = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")


class SizeError(ValueError, MemoryError):
    """A dense array that the memory cannot take."""


def stacked(
    strip: Callable[[int, slice], Integers], shape: tuple[int, int, int], dtype: DTypeLike
) -> NDArray[np.generic]:
    """`strip(head, rows)` of all rows, as an array [heads, queries, columns] of `dtype`."""
    verify_size(shape, dtype, beside=WORKING * shape[2])
    result = np.zeros(shape, dtype)
    for head in range(shape[0]):
        for rows in _strips(*shape[1:]):
            result[head, rows] = strip(head, rows)
    return result


def _strips(queries: int, columns: int) -> Iterator[slice]:
    """Rows of about equal numbers of cells; one strip of no rows where there are none."""
    height = max(1, STRIP // max(columns, 1), queries // STRIPS)
    for first in range(0, max(queries, 1), height):
        yield slice(first, first + height)


def verify_size(
    shape: tuple[int, ...], dtype: DTypeLike, what: str = "the mask", beside: int = 0
) -> None:
    """Raises `SizeError` where an array, and bytes `beside` it, take more than is free."""
    needed, free = prod(shape) * np.dtype(dtype).itemsize + beside, free_bytes()
    if free is not None and needed > free:
        sides = " x ".join(f"{side:,}" for side in shape)
        raise SizeError(
            f"{what} of {sides} needs {_scaled(needed)}, and {_scaled(free)} are free; `pairs`, "
            "`layout`, `reach` and `report` do not need it at any n; `queries=` evaluates only the "
            "last queries"
        )


def _scaled(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GB" if size >= 1 << 29 else f"{size / (1 << 20):,.0f} MB"


def free_bytes() -> int | None:
    """Memory that can still be had, by the system, its group and its limit; None if unknown."""
    known = [size for size in (_available(), _within_group(), _within_limit()) if size is not None]
    return max(0, min(known)) if known else None


def _available() -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _within_group() -> int | None:
    with suppress(OSError, ValueError):
        most, used = ((_GROUPS / f"memory.{name}").read_text() for name in ("max", "current"))
        return int(most) - int(used)
    return None


def _within_limit() -> int | None:
    """What a limit of address space leaves."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text().split()[0])
            return most - used * os.sysconf("SC_PAGE_SIZE")
    return None
