"""Progress on the terminal for what takes longer than a second.

From a sequence of steps to the same sequence, with a bar on the standard error while it is a
terminal. Nothing is drawn before a second has passed, and nothing stays. Non-goals: logging.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

_Step = TypeVar("_Step")
PATIENCE = 1.0
"""Seconds without a bar."""


def steps(items: Sequence[_Step], label: str) -> Iterator[_Step]:
    """The items one by one."""
    if not sys.stderr.isatty():
        yield from items
        return
    started = monotonic()
    with ExitStack() as stack:
        bar = None
        for done, item in enumerate(items):
            if bar is None and monotonic() - started > PATIENCE:
                bar = stack.enter_context(_bar(label, len(items)))
            if bar is not None:
                bar.update(bar.task_ids[0], completed=done)
            yield item


def _bar(label: str, total: int) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    bar.add_task(label, total=total)
    return bar
