"""Modules of patterns, built once and never inside a trace of torch.compile.

Dynamo would step through the compiler, locks and all. It calls a function that is marked as below
as it is, with constants for arguments and a constant for its result, so patterns go by a key. Does
not look inside modules.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import RLock
from types import ModuleType
from weakref import WeakValueDictionary

_numbers = count()
_lock = RLock()


Heads = tuple[int, int] | None
"""Those from the first to before the second, or all."""


class Built:
    """The modules of one pattern, of all heads and of some: those `ensure` was called with."""

    def __init__(self, build: Callable[[Heads], ModuleType]) -> None:
        self.key = f"pattern {next(_numbers)}"
        self.modules: dict[Heads, ModuleType] = {}
        self.build = build
        _every[self.key] = self


_every: WeakValueDictionary[str, Built] = WeakValueDictionary()


def ensure(key: str, heads: Heads = None) -> bool:
    """Build the module behind a key, where it is not there."""
    built = _every[key]
    if heads not in built.modules:
        with _lock:
            if heads not in built.modules:
                built.modules[heads] = built.build(heads)
    return True


# What torch.compiler.assume_constant_result does, without torch.
ensure._dynamo_marked_constant = True  # type: ignore[attr-defined]
