"""All backends, by the name that `patternc compile --backend` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patternc.emit.backend import Backend, Request, UnsupportedError
from patternc.emit.cpu.backend import CPU
from patternc.emit.flex.backend import FLEX
from patternc.emit.module import ModuleBackend, emit_module
from patternc.emit.paged.backend import PAGED
from patternc.emit.reference.backend import REFERENCE
from patternc.emit.triton.backend import TRITON

BACKENDS: dict[str, Backend] = {each.name: each for each in (TRITON, CPU, REFERENCE, FLEX, PAGED)}
MODULE = tuple(name for name, each in BACKENDS.items() if isinstance(each, ModuleBackend))
DEFAULT = ("triton", "reference")


def chosen_backends(names: Iterable[str]) -> tuple[Backend, ...]:
    """Backends by name, each once; "all" are those of the standalone module.

    Raises `ValueError` for an unknown name, and for backends whose texts are not one file.
    """
    asked = list(dict.fromkeys(each for name in names for each in _meant(name)))
    for name in asked:
        if name not in BACKENDS:
            listed = ", ".join(BACKENDS)
            raise ValueError(f"unknown backend {name!r}; expected one of {listed}, or 'all'")
    alone = [name for name in asked if name not in MODULE]
    if alone and len(asked) > 1:
        raise ValueError(f"backend {alone[0]!r} writes a file of its own; compile it by itself")
    return tuple(BACKENDS[name] for name in asked) or (REFERENCE,)


def _meant(name: str) -> Iterable[str]:
    return MODULE if name == "all" else (name,)


def emit(request: Request, backends: Sequence[Backend]) -> str:
    """One file for all of the backends. Raises `UnsupportedError` where one cannot lower all."""
    for backend in backends:
        if problems := backend.unsupported(request.schedule):
            raise UnsupportedError(backend.name, problems)
    together = [each for each in backends if isinstance(each, ModuleBackend)]
    return emit_module(request, together) if together else backends[0].emit(request)
