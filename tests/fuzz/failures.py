"""What a case does wrong, under limits of time and memory.

A check is a function of a text that raises nothing but what the documentation allows; `failure`
turns everything else into a short name, by which failures are told apart and shrunk.
"""

from __future__ import annotations

import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2]


class DisagreementError(Exception):
    """Two rooms that say different things; the message names them first, then the particulars."""


class SlowError(BaseException):
    """More processor time than a case may take; no `except Exception` takes it for its own."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `SlowError` once the processor time is spent, and again where that is swallowed.

    Python prints and forgets what is raised in the callback of a weak reference.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise SlowError(f"more than {seconds} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory(more: int) -> None:
    """At most so many bytes of addresses beyond those of now: then `MemoryError`."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


Failures = dict[str, str]
"""By name; the text is for people."""


def failures(checks: dict[str, Callable[[], Any]], seconds: float) -> Failures:
    """What goes wrong among independent checks of one case."""
    found: Failures = {}
    for name, check in checks.items():
        try:
            with limited(seconds):
                check()
        except DisagreementError as error:
            found[f"{name}: {str(error).split(':')[0]}"] = str(error)
        except (Exception, SlowError) as error:
            found[f"{name}: {_place(error)}"] = "".join(traceback.format_exception(error)[-6:])
    return found


def _place(error: BaseException) -> str:
    """The exception and the innermost function of the package that it came from."""
    if isinstance(error, SlowError):
        return "slow"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "patternc" in Path(frame.filename).as_posix()]
    place = own[-1] if own else frames[-1]
    return f"{type(error).__name__} in {_short(place.filename)}, {place.name}"


def _short(filename: str) -> str:
    """Without what differs between machines and modules."""
    path = Path(filename)
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).as_posix()
    return "the module" if path.name.startswith("patternc_module_") else path.name
