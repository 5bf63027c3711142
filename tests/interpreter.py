"""The Triton interpreter without its repeated searches.

Every call of a jitted function from an interpreted kernel searches triton.language for functions
to patch, a third of the interpreter's time, though all are patched after the first call from a
module: they stay so until the kernel ends.
"""

from __future__ import annotations

from triton.runtime import interpreter

_patched: set[int] = set()
_call = interpreter.InterpretedFunction.__call__
_run = interpreter.GridExecutor.__call__


def _call_patched(self, *arguments, **named):
    module = id(self.fn.__globals__)
    if module in _patched:
        return self.rewrite()(*arguments, **named)
    _patched.add(module)
    return _call(self, *arguments, **named)


def _run_afresh(self, *arguments, **named):
    _patched.clear()
    return _run(self, *arguments, **named)


def search_once() -> None:
    """From here on the interpreter patches once a kernel and module."""
    interpreter.InterpretedFunction.__call__ = _call_patched
    interpreter.GridExecutor.__call__ = _run_afresh
