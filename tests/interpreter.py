"""The Triton interpreter without its repeated work: same results, a fraction of the time.

Every call of a jitted function from an interpreted kernel searches triton.language for functions
to patch, though all are patched after the first call from a module: they stay so until the kernel
ends. Sums of integers are computed again in 64 bits to find overflows, for a `device_assert` that
does nothing unless the builder debugs. Types and shapes, which never change, are made and compared
again for every operation. Does not change what a kernel computes.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from triton.language import core, semantic
from triton.runtime import interpreter

_patched: set[int] = set()
_call = interpreter.InterpretedFunction.__call__
_run = interpreter.GridExecutor.__call__
_make_tensor = core.tensor.__init__
_make_block = core.block_type.__init__
_with_element = core.block_type.with_element_ty
_equal = core.dtype.__eq__
_to_numpy = interpreter._get_np_dtype
_broadcast = semantic.TritonSemantic.broadcast_impl_value

_blocks: dict[Any, dict[str, Any]] = {}
_shapes: dict[tuple[int, ...], Any] = {}
_other_elements: dict[tuple[str, str], Any] = {}
_numpy_types: dict[str, Any] = {}


def _call_patched(self, *arguments, **named):
    module = id(self.fn.__globals__)
    if module in _patched:
        return self.rewrite()(*arguments, **named)
    _patched.add(module)
    return _call(self, *arguments, **named)


def _run_afresh(self, *arguments, **named):
    _patched.clear()
    return _run(self, *arguments, **named)


def _tensor(self, handle, type):  # noqa: A002
    """A tensor as the first one of its type, but for the handle."""
    first = vars(type).get("_first")
    if first is None:
        _make_tensor(self, handle, type)
        type._first = vars(self) | {"handle": None}
    else:
        vars(self).update(first)
        self.handle = handle


def _block(self, element_ty, shape):
    """A block type as the first one of its element and shape; equal shapes are one object."""
    key = (element_ty.name, *map(core._unwrap_if_constexpr, shape))
    if key in _blocks and not element_ty.is_ptr():
        vars(self).update(_blocks[key])
        return
    _make_block(self, element_ty, shape)
    self.shape = _shapes.setdefault(key[1:], self.shape)
    _blocks[key] = dict(vars(self))


def _of_element(self, scalar_ty):
    if scalar_ty.is_ptr():  # its name does not say all of it
        return _with_element(self, scalar_ty)
    key = self.name, scalar_ty.name
    if key not in _other_elements:
        _other_elements[key] = _with_element(self, scalar_ty)
    return _other_elements[key]


def _same(self, other):
    return self is other or _equal(self, other)


def _numpy_type(dtype):
    if dtype.name not in _numpy_types:
        _numpy_types[dtype.name] = _to_numpy(dtype)
    return _numpy_types[dtype.name]


def _broadcast_unequal(self, lhs, rhs):
    one, other = lhs.type, rhs.type
    if one.is_block() and other.is_block() and one.shape is other.shape:
        return lhs, rhs
    return _broadcast(self, lhs, rhs)


def quicken() -> None:
    """From here on the interpreter patches once a kernel and module, and makes a type once."""
    interpreter.InterpretedFunction.__call__ = _call_patched
    interpreter.GridExecutor.__call__ = _run_afresh
    core.tensor.__init__ = _tensor
    core.block_type.__init__ = _block
    core.block_type.with_element_ty = _of_element
    core.dtype.__eq__ = _same
    interpreter._get_np_dtype = _numpy_type
    semantic.TritonSemantic.broadcast_impl_value = _broadcast_unequal
    builder = interpreter.interpreter_builder
    if not builder.options.debug:
        builder.options = dataclasses.replace(builder.options, sanitize_overflow=False)
