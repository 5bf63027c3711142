"""Modules of patterns, built once and never inside a trace of torch.compile.

Dynamo would step through the compiler, locks and all. It calls a function that is marked as below
as it is, with constants for arguments and a constant for its result, so patterns go by a key. Does
not look inside modules.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import count
from threading import RLock
from types import ModuleType
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

Variant = TypeVar("Variant", bound=Hashable)

_numbers = count()
_lock = RLock()


class Built(Generic[Variant]):
    """The modules of one pattern by variant, such as some of its heads or one size of pages."""

    def __init__(self, build: Callable[[Variant], ModuleType]) -> None:
        self.key = f"pattern {next(_numbers)}"
        self.modules: dict[Variant, ModuleType] = {}
        self.build = build
        _every[self.key] = self


_every: WeakValueDictionary[str, Built[Any]] = WeakValueDictionary()


def ensure(key: str, variant: Hashable) -> bool:
    """Build the module of a variant behind a key, where it is not there."""
    built = _every[key]
    if variant not in built.modules:
        with _lock:
            if variant not in built.modules:
                built.modules[variant] = built.build(variant)
    return True


# What torch.compiler.assume_constant_result does, without torch.
ensure._dynamo_marked_constant = True  # type: ignore[attr-defined]
