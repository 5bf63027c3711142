"""Immutable values of named fields, like `dataclass(frozen=True, slots=True)` but cheap to define.

A frozen dataclass compiles six methods for each class, which took 30 % of the processor time of a
cold `patternc compile`. Here a class has `__init__` compiled alone, and shares the other methods.
Values made within a `torch.compile` are dataclasses: Dynamo traces no other frozen class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Class]) -> type[Class]:
    """The class with slots for its fields, and the methods of a frozen dataclass.

    `replace`, `fields`, `asdict` and `match` take it for one. Methods that the class defines stay.
    """
    own = dict(vars(cls))
    cls.__doc__ = cls.__doc__ or cls.__name__  # else `dataclass` inspects signatures for one
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    every = fields(made)
    compared = [each.name for each in every if each.compare]
    methods = {**_SHARED, **_comparison(compared), "__init__": _init(made, every)}
    for name, method in methods.items():
        if own.get(name) is None:  # beside an own `__eq__`, Python sets `__hash__` to None
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _comparison(names: list[str]) -> dict[str, Callable[..., Any]]:
    """`__eq__` and `__hash__` by the attributes of these names."""
    values = _values(names)

    def equal(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed}


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function to the tuple of these attributes."""
    if len(names) > 1:
        return attrgetter(*names)  # of one name it gives no tuple
    return lambda self: tuple(getattr(self, name) for name in names)


def _init(made: Any, every: tuple[Field[Any], ...]) -> Callable[..., None]:
    """`__init__`, which sets slots by their descriptors: the instance refuses to be changed."""
    known: dict[str, Any] = {"MISSING": MISSING}
    parameters, body = ["self"], []
    for each in every:
        name, value = each.name, each.name
        known[f"set_{name}"] = getattr(made, name).__set__
        known[f"default_{name}"] = each.default
        if each.default_factory is not MISSING:
            known[f"make_{name}"] = each.default_factory
            value = f"make_{name}() if {name} is MISSING else {name}"
        required = each.default is MISSING and each.default_factory is MISSING
        parameters.append(name if required else f"{name}=default_{name}")
        body.append(f"set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}): {'; '.join(body) or 'pass'}", known)
    known["__init__"].__qualname__ = f"{made.__qualname__}.__init__"
    return known["__init__"]  # type: ignore[no-any-return]


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: object, name: str, *_value: object) -> None:
    raise FrozenInstanceError(f"{name!r} of {type(self).__qualname__} cannot be changed")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__getstate__": _state,
    "__setstate__": _restore,
}
