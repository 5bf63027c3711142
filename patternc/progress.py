"""Progress on the terminal for what takes longer than a second.

Shows work, with or without a number of steps, as one line on the standard error while that is a
terminal: progress and elapsed time. It is drawn by a thread of its own after a second, and erased
at the end. Work of other threads than the main one is not reported. Does not log.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread, current_thread, main_thread
from time import monotonic
from typing import TypeVar

_Step = TypeVar("_Step")
PATIENCE = 1.0
"""Seconds without a line."""
_AGAIN = 0.1
_BAR = 24


@dataclass(slots=True, eq=False)
class _Work:
    """What is being done; `total` steps, 0 where nobody knows."""

    label: str
    total: int
    done: int = 0

    def __str__(self) -> str:
        if self.total < 2:
            return self.label
        full = _BAR * self.done // self.total
        return f"{self.label} [{'#' * full}{'.' * (_BAR - full)}] {self.done}/{self.total}"


# The outermost first.
_PRESENT: list[_Work] = []


def steps(items: Sequence[_Step], label: str) -> Iterator[_Step]:
    """The items one by one."""
    with working(label, len(items)) as work:
        for item in items:
            yield item
            work.done += 1


@contextmanager
def working(label: str, total: int = 0) -> Iterator[_Work]:
    """Tells of the work inside the block."""
    work = _Work(label, total)
    if not _is_watched():
        yield work
        return
    line = None if _PRESENT else _Line()
    _PRESENT.append(work)
    try:
        if line:
            line.start()
        yield work
    finally:
        if line:
            line.stop()
        _PRESENT.remove(work)


def _is_watched() -> bool:
    able = os.environ.get("TERM") != "dumb" and current_thread() is main_thread()
    return able and sys.stderr is not None and sys.stderr.isatty()


class _Line(Thread):
    """The line, for all work that begins before the first is done."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._began, self._over = monotonic(), Event()

    def run(self) -> None:
        wait = PATIENCE
        while not self._over.wait(wait):
            told = " - ".join([*map(str, _PRESENT), f"{monotonic() - self._began:.0f} s"])
            self._draw(told[: shutil.get_terminal_size().columns - 1])
            wait = _AGAIN
        if wait != PATIENCE:
            self._draw("")

    def stop(self) -> None:
        """Returns when nothing of the line is left."""
        self._over.set()
        self.join()

    def _draw(self, text: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
