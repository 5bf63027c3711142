"""All backends, by the name that `patternc compile --backend` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from patternc.emit.backend import Backend, Request, UnsupportedError
from patternc.emit.module import ModuleBackend, emit_module

# Those of the standalone module, then those whose text is a file of its own.
MODULE = ("triton", "cpu", "reference")
NAMES = (*MODULE, "flex", "paged")
DEFAULT = ("triton", "reference")


def _backend(name: str) -> Backend:
    """`BACKEND` of a backend's folder, imported only where it is asked for."""
    found: Backend = import_module(f"patternc.emit.{name}.backend").BACKEND
    return found


def chosen_backends(names: Iterable[str]) -> tuple[Backend, ...]:
    """Backends by name, each once; "all" are those of the standalone module.

    Raises `ValueError` for an unknown name, and for backends whose texts are not one file.
    """
    asked = list(dict.fromkeys(each for name in names for each in _meant(name)))
    for name in asked:
        if name not in NAMES:
            listed = ", ".join(NAMES)
            raise ValueError(f"unknown backend {name!r}; expected one of {listed}, or 'all'")
    alone = [name for name in asked if name not in MODULE]
    if alone and len(asked) > 1:
        raise ValueError(f"backend {alone[0]!r} writes a file of its own; compile it by itself")
    return tuple(map(_backend, asked or ["reference"]))


def _meant(name: str) -> Iterable[str]:
    return MODULE if name == "all" else (name,)


def emit(request: Request, backends: Sequence[Backend]) -> str:
    """One file for all of the backends. Raises `UnsupportedError` where one cannot lower all.

    Raises `ValueError` for features of a file that has none.
    """
    for backend in backends:
        if problems := backend.unsupported(request.schedule):
            raise UnsupportedError(backend.name, problems)
    together = [each for each in backends if isinstance(each, ModuleBackend)]
    if request.features and not together:
        raise ValueError(f"backend {backends[0].name!r} has no features; compile without them")
    return emit_module(request, together) if together else backends[0].emit(request)
