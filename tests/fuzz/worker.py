"""A process that looks at cases one after the other, and may be killed by one of them.

From (kind, text, seed) to whether the text is a program and what is wrong. A case that hangs beside
Python ends the process by its limit of processor time, one that crashes ends it too; the next case
starts another. Every so many cases the process is changed, as modules stay in memory.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Literal

from tests.fuzz.failures import Failures, limit_memory

Kind = Literal["texts", "programs"]
Answer = tuple[bool, Failures]
# Processor seconds after which a process ends that answers no signal, and cases a process has.
HARD = {"texts": 10, "programs": 30}
CASES = {"texts": 20_000, "programs": 1000}
MEMORY = {"texts": 1 << 30, "programs": 8 << 30}


class Worker:
    """Answers of one process after another."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._asked = 0

    def ask(self, text: str, seed: int) -> Answer:
        if self._process is None or self._asked >= CASES[self.kind]:
            self.close()
            self._start()
        assert self._process is not None
        assert self._pipe is not None
        self._asked += 1
        self._pipe.send((text, seed))
        try:
            return self._pipe.recv()  # type: ignore[no-any-return]
        except EOFError:
            self._process.join()
            code, self._process = self._process.exitcode, None
            return False, {f"the process ended with {code}": "a crash, a hang, or no memory"}

    def close(self) -> None:
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, other = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(self.kind, other), daemon=True)
        self._process.start()
        other.close()
        self._asked = 0


def _work(kind: Kind, pipe: Connection) -> None:
    os.environ.setdefault("TRITON_INTERPRET", "1")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PATTERNC_CACHE_DIR"] = folder
        look = _looker(kind)
        limit_memory(MEMORY[kind])
        while True:
            try:
                text, seed = pipe.recv()
            except EOFError:
                return
            spent = int(time.process_time()) + HARD[kind]
            resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.RLIM_INFINITY))
            pipe.send(look(text, seed))


def _looker(kind: Kind):  # type: ignore[no-untyped-def]
    """What is done with a case; warm, as a first call imports much."""
    from tests.fuzz import reading

    reading.read("local(1) + global([0])")
    if kind == "texts":
        return lambda text, seed: reading.read(text)
    from tests.fuzz import agreeing
    from tests.interpreter import quicken

    quicken()
    agreeing.agree("local(1) with alibi", 0)
    # What the imports have made stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return lambda text, seed: (True, agreeing.compiles(text, seed))
