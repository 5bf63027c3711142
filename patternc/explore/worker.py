"""Processes that answer, and that are stopped when an answer takes too long.

So the page stays usable whatever is typed. What may take seconds has a process of its own, so that
the mask need not wait for it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Lock

Json = dict[str, object]
SECONDS = 10.0
_SLOW = ("report", "diff")
# Bytes of address space: what an answer may take at most.
_MEMORY = 4 << 30


class Workers:
    """Answers in processes of their own. `with` ends them."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._quick, self._slow = _Worker(seconds), _Worker(seconds)

    def answer(self, name: str, fields: Mapping[str, object]) -> Json:
        """The answer, or an `error` that says that there is none in time."""
        return (self._slow if name in _SLOW else self._quick).answer(name, fields)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._quick.stop()
        self._slow.stop()


class _Worker:
    """A process, started for the first request; one request is answered at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._lock = seconds, Lock()
        self._running: tuple[SpawnProcess, Connection] | None = None

    def answer(self, name: str, fields: Mapping[str, object]) -> Json:
        with self._lock:
            process, pipe = self._running or self._start()
            with suppress(OSError, EOFError):
                pipe.send((name, dict(fields)))
                if pipe.poll(self._seconds):
                    found: Json = pipe.recv()
                    return found
            ended = not process.is_alive()
            self.stop()
        reason = "the answer needs too much" if ended else f"no answer within {self._seconds:g} s"
        return {"error": f"{reason}: try a smaller n"}

    def _start(self) -> tuple[SpawnProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        pipe, other = context.Pipe()
        process = context.Process(target=_serve, args=(other,), daemon=True)
        process.start()
        other.close()
        self._running = process, pipe
        return self._running

    def stop(self) -> None:
        """Ends the process, whatever it does."""
        if self._running is not None:
            process, pipe = self._running
            process.kill()
            process.join()
            pipe.close()
            self._running = None


def _serve(pipe: Connection) -> None:
    """Answers until the other end is closed."""
    _limit_memory()
    from patternc.explore.answers import answer

    with suppress(EOFError, KeyboardInterrupt, OSError):
        while True:
            name, fields = pipe.recv()
            try:
                found = answer(name, fields)
            except MemoryError:
                found = {"error": "the answer needs too much memory: try a smaller n"}
            except Exception as error:  # an error inside is told on the page, which goes on
                reason = f"{type(error).__name__}: {error}"
                found = {"error": f"internal error, please report: {reason}"}
            pipe.send(found)


def _limit_memory() -> None:
    """A limit of the system's, where it has one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
