"""`frozen` makes what `dataclass(frozen=True, slots=True)` makes."""

import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

import patternc
from patternc.frozen import frozen


@frozen
class Ours:
    first: int
    second: str = "b"
    hidden: list[int] = field(default_factory=list, compare=False, repr=False)


@frozen
class Single:
    only: object


@frozen
class Heir(Single):
    """Has a field of its own behind the one of its base."""

    more: int = 2

    def __repr__(self) -> str:
        return f"heir of {self.only}"


def theirs(name: str, **annotations: Any) -> Any:
    made = type(name, (), {"__annotations__": annotations, "second": "b"})
    return dataclass(frozen=True, slots=True)(made)


def test_values_are_compared_hashed_and_shown_as_those_of_a_dataclass() -> None:
    other = theirs("Ours", first="int", second="str")
    assert hash(Ours(1)) == hash(other(1)) == hash((1, "b"))
    assert hash(Single(3)) == hash((3,))
    assert repr(Ours(1)) == repr(other(1)) == "Ours(first=1, second='b')"
    assert Ours(1) == Ours(1, hidden=[2])
    assert Ours(1) != Ours(1, "c")
    assert Single(1) != Heir(1)
    assert (repr(Heir(1)), Heir(1, 2), Heir(1).more) == ("heir of 1", Heir(1), 2)
    assert Ours.__match_args__ == ("first", "second", "hidden")


def test_functions_of_dataclasses_take_them() -> None:
    assert replace(Ours(1), second="d") == Ours(1, "d")
    assert asdict(Heir(Single(1))) == {"only": {"only": 1}, "more": 2}
    assert [each.name for each in fields(Heir)] == ["only", "more"]
    assert pickle.loads(pickle.dumps(Ours(5, "x", [7]))).hidden == [7]
    assert Ours(1).hidden is not Ours(1).hidden


def test_they_refuse_to_be_changed() -> None:
    value: Any = Ours(1)
    with pytest.raises(FrozenInstanceError, match="'first' of Ours"):
        value.first = 2
    with pytest.raises(FrozenInstanceError):
        del value.second
    with pytest.raises(AttributeError):
        value.unknown = 3
    with pytest.raises(TypeError, match="missing 1 required"):
        Ours()  # type: ignore[call-arg]
    assert not hasattr(value, "__dict__")


def test_methods_of_the_class_stay() -> None:
    @frozen
    class Odd:
        value: int

        def _compared(self) -> str:
            return "its own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Odd) and (self.value - other.value) % 2 == 0

        def __hash__(self) -> int:
            return self.value % 2

    assert Odd(1)._compared() == "its own"
    assert len({Odd(1), Odd(3), Odd(4)}) == 2


@pytest.mark.parametrize("room", ["bridges", "nn", "runtime"])
def test_values_that_torch_compile_makes_are_dataclasses(room: str) -> None:
    """Dynamo traces the `__init__` of a frozen dataclass, and of no other frozen class."""
    files = Path(patternc.__file__).parent.joinpath(room).rglob("*.py")
    assert not [file.name for file in files if "patternc.frozen" in file.read_text()]
