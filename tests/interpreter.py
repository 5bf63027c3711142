"""The Triton interpreter without its repeated work: same results, a fraction of the time.

Every call of a jitted function from an interpreted kernel searches triton.language for functions
to patch, though all are patched after the first call from a module: they stay so until the kernel
ends. Sums of integers are computed again in 64 bits to find overflows, for a `device_assert` that
does nothing unless the builder debugs. Types and shapes, which never change, are made and compared
again for every operation, and smaller operands are copied to the shape of the larger one, which
numpy does while it computes. Does not change what a kernel computes.
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
_operands = semantic.TritonSemantic.binary_op_type_checking_impl

_unwrap = core._unwrap_if_constexpr
_NO_CONSTANTS = (int, core.tensor, float, bool, type(None), core.dtype, core.block_type)
_CHECKED = core.builtin(len).__code__

_firsts: dict[str, dict[str, Any]] = {}
_blocks: dict[Any, dict[str, Any]] = {}
_shapes: dict[tuple[int, ...], Any] = {}
_other_elements: dict[tuple[str, str], Any] = {}
_numpy_types: dict[str, Any] = {}
_found: dict[Any, tuple[Any, Any]] = {}


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
    # The name of a pointer does not say all of its type.
    known = vars(type) if type.scalar.is_ptr() else _firsts
    key = "_first" if known is not _firsts else type.name
    first = known.get(key)
    if first is None:
        _make_tensor(self, handle, type)
        known[key] = vars(self) | {"handle": None}
    else:
        vars(self).update(first)
        self.handle = handle


def _block(self, element_ty, shape):
    """A block type as the first one of its element and shape; equal shapes are one object."""
    key = (element_ty.name, *map(_unwrapped, shape))
    if key in _blocks and not element_ty.is_ptr():
        vars(self).update(_blocks[key])
        return
    _make_block(self, element_ty, shape)
    self.shape = _shapes.setdefault(key[1:], self.shape)
    _blocks[key] = dict(vars(self))


def _unwrapped(value):
    """What most often is no constant, list or tuple of them."""
    if value.__class__ in _NO_CONSTANTS:
        return value
    return value.value if value.__class__ is core.constexpr else _unwrap(value)


def _patch(owner, name, member, builder, scope):
    """A function of triton.language that is told the interpreter, without checks that it was."""
    code = getattr(member, "__code__", None)
    function = member.__wrapped__ if code is _CHECKED else member

    def told(*arguments, **named):
        named["_semantic"] = interpreter.interpreter_semantic
        return function(*arguments, **named)

    scope.set_attr(owner, name, told)


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


def _operands_as_before(self, lhs, rhs, *options, **named):
    """Two operands of one type, found by what they were: numbers themselves, tensors by type.

    Numpy broadcasts the data when it computes, so that an operand may have less than its type says.
    """
    key = _known_by(lhs), _known_by(rhs), options, *named.items()
    if None in key:
        return _offset(self, lhs, rhs) or _operands(self, lhs, rhs, *options, **named)
    if key in _found:
        one, other = _found[key]
        return _as(self, lhs, one), _as(self, rhs, other)
    found = _operands(self, lhs, rhs, *options, **named)
    _found[key] = tuple(
        made.type if isinstance(given, core.tensor) else made
        for given, made in zip((lhs, rhs), found, strict=True)
    )
    return found


def _known_by(operand):
    if not isinstance(operand, core.tensor):
        return operand.__class__, repr(operand)
    return None if operand.type.scalar.is_ptr() else operand.type.name


def _as(self, operand, found):
    if operand.__class__ is not core.tensor:
        return found
    if operand.type.scalar.name != found.scalar.name:
        operand = self.cast(operand, found.scalar)
    return operand if operand.type is found else core.tensor(operand.handle, found)


def _offset(self, pointer, offset):
    """A pointer to the left of integers of any size; None: something else."""
    if not (isinstance(offset, core.tensor) and offset.type.scalar.is_int()):
        return None
    one, other = pointer.type, offset.type
    if one.is_block() and other.is_block():
        return (pointer, offset) if one.shape is other.shape else None
    if one.is_block():
        return pointer, core.tensor(offset.handle, one.with_element_ty(other.scalar))
    if other.is_block():
        return core.tensor(pointer.handle, other.with_element_ty(one.scalar)), offset
    return pointer, offset


def quicken() -> None:
    """From here on the interpreter patches once a kernel and module, and makes a type once."""
    interpreter.InterpretedFunction.__call__ = _call_patched
    interpreter.GridExecutor.__call__ = _run_afresh
    core.tensor.__init__ = _tensor
    core.block_type.__init__ = _block
    core.block_type.with_element_ty = _of_element
    core.dtype.__eq__ = _same
    core._unwrap_if_constexpr = _unwrapped
    interpreter._get_np_dtype = _numpy_type
    interpreter._patch_attr = _patch
    semantic.TritonSemantic.broadcast_impl_value = _broadcast_unequal
    semantic.TritonSemantic.binary_op_type_checking_impl = _operands_as_before
    builder = interpreter.interpreter_builder
    if not builder.options.debug:
        builder.options = dataclasses.replace(builder.options, sanitize_overflow=False)
