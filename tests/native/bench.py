"""A cache of compiled libraries to try, by forked processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class Bench:
    """A cache of its own, and calls in forked processes: what they load is not loaded here."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.native = folder, folder / "cache" / "native"
        self.environment = {"PATTERNC_CACHE_DIR": str(folder / "cache"), "PATTERNC_CC": "cc"}

    def start(
        self, module: ModuleType, work: Callable[[], object] | None = None, **given: str
    ) -> Started:
        """What `work` does, `_library` at the end, and what is logged."""
        reader, writer = os.pipe()
        number = os.fork()
        if number:
            os.close(writer)
            return Started(number, reader)
        code = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "w") as file:
                log = logging.getLogger("patternc")
                log.handlers, log.propagate = [logging.StreamHandler(file)], False
                os.environ.update(self.environment | given)
                module._library.cache_clear()
                if work:
                    work()
                file.write("compiled" if module._library() else "torch")
                code = 0
        finally:
            os._exit(code)

    def call(
        self, module: ModuleType, work: Callable[[], object] | None = None, **given: str
    ) -> tuple[str, list[str]]:
        return self.start(module, work, **given).end()

    def libraries(self) -> list[Path]:
        return sorted(self.native.glob("*.so"))

    def compiler(self, text: str, name: str = "compiler") -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)


class Started(NamedTuple):
    number: int
    reader: int

    def end(self) -> tuple[str, list[str]]:
        """What does the work, and the lines that were logged."""
        with os.fdopen(self.reader) as file:
            *lines, last = file.read().splitlines()
        assert os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1]) == 0
        return last, lines


def runs(bench: Bench) -> int:
    path = bench.folder / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0
