"""Generated modules from compiled pieces: most of a module's text is that of other modules.

As `patternc.runtime.load`, without a file of the whole: a piece begins at a function or class of
the top level, has a file of its own, which Triton reads, and is compiled once in a process.
"""

from __future__ import annotations
import __future__

import hashlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType, ModuleType

from patternc.runtime.load import module_path

_BEGINNING = re.compile(r"\n\n\n(?=def |class |@)")
NAME = "patternc_module_"


@contextmanager
def loaded(source: str) -> Iterator[ModuleType]:
    """The module of `source`, which is known under its name until the end."""
    name = NAME + _digest(source)
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        for piece in _BEGINNING.split(source):
            exec(_compiled(piece + "\n"), module.__dict__)
        yield module
    finally:
        del sys.modules[name]


@lru_cache(maxsize=20_000)
def _compiled(piece: str) -> CodeType:
    path = module_path(NAME + _digest(piece))
    path.write_text(piece, encoding="utf-8")
    # Else every look at the source of a frame searches all modules for it.
    inspect.modulesbyfile[str(path)] = __name__  # type: ignore[attr-defined]
    return compile(piece, path, "exec", __future__.annotations.compiler_flag, dont_inherit=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
