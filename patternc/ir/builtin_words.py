"""How the words of the language are written: their arguments, and what run-time inputs are for."""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen

Group = Literal[
    "relation", "positions", "lift", "combination", "source", "modifier", "function", "distances"
]

ArgumentKind = Literal[
    "count",  # an integer known once layer, head and parameters are
    "width",  # an integer that may hold n
    "number",  # an integer that may hold i, j and n
    "decimal",  # an integer or a literal with a point
    "positions",  # a list, `period(..)` or a run-time set
    "pool",  # a range or a list
    "interval",  # a range of integers
    "part",  # a range whose ends may hold n
    "order",  # a list of integers in which the order counts
    "distances",  # a list of integers, or the powers of one
    "condition",
    "set",
    "branch",  # a set or an output
    "word",
    "input",  # the name of something given at call time
]
Role = Literal[
    "listed",
    "set",
    "labels",
    "integers",
    "size",
    "offsets",
    "projection",
    "gate",
    "scores",
    "directions",
    "forgetting",
    "rotations",
    "means",
    "memory",
    "compressed",
    "store",
    "project",
    "convolution",
    "persistent",
    "stream",
    "tree",
    "encoder",
    "bias",
    "slopes",
    "span",
    "token_span",
    "decay",
    "positions",
    "t5",
    "relative",
    "relative_values",
    "xl",
    "distance",
    "sink",
]


@frozen
class BuiltinParameter:
    """One argument: its name in messages (and in the text, where it is given by name).

    `role` is what the run-time input named by the argument is.
    """

    name: str
    kind: ArgumentKind
    minimum: int | None = None
    words: tuple[str, ...] = ()
    required: bool = False
    role: Role | None = None


@frozen
class Builtin:
    """A word with its arguments; without any it is written without brackets.

    `variadic` is the kind of any number of further placed arguments. One that may stand `alone` has
    arguments that may be left out, and its brackets with them.
    """

    name: str
    group: Group
    positional: tuple[BuiltinParameter, ...] = ()
    keyword: tuple[BuiltinParameter, ...] = ()
    variadic: BuiltinParameter | None = None
    alone: bool = False

    @property
    def bare(self) -> bool:
        return not (self.positional or self.keyword or self.variadic)

    def slot(self, name: str) -> BuiltinParameter | None:
        return next((slot for slot in self.keyword if slot.name == name), None)

    def usage(self) -> str:
        """How the word is written, as messages show it."""
        if self.bare:
            return self.name
        parts = [_optional(slot.name, slot) for slot in self.positional]
        parts += [f"{self.variadic.name}, .."] if self.variadic else []
        parts += [_optional(f"{slot.name}=..", slot) for slot in self.keyword]
        if self.alone:
            return f"{self.name}, {self.name}({', '.join(parts)})"
        braces = " { .. }" if self.group == "lift" else ""
        return f"{self.name}({', '.join(parts)}){braces}"


def _optional(text: str, slot: BuiltinParameter) -> str:
    return text if slot.required else f"[{text}]"


def must(
    name: str,
    kind: ArgumentKind,
    least: int | None = None,
    words: tuple[str, ...] = (),
    role: Role | None = None,
) -> BuiltinParameter:
    return BuiltinParameter(name, kind, least, words, required=True, role=role)


POSITION = BuiltinParameter("position", "input", role="integers")
"""Positions of the call in place of indices."""


def named_input(name: str, role: Role) -> BuiltinParameter:
    return must(name, "input", role=role)
