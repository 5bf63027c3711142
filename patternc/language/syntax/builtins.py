"""The words of the language: relations, sources, combinations, modifiers, functions.

One table, read by the checker (which arguments, of which kind), by near misses and by the manual's
tests. Placed arguments come first and have no name in the text. The meaning of a word is in
`semantics` and `relation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["relation", "positions", "lift", "combination", "source", "modifier", "function"]

ArgumentKind = Literal[
    "count",  # an integer known once layer, head and parameters are
    "width",  # an integer that may hold n
    "number",  # an integer that may hold i, j and n
    "decimal",  # an integer or a literal with a point
    "positions",  # a list, `period(..)` or a run-time set
    "pool",  # a range or a list
    "interval",  # a range of integers
    "order",  # a list of integers in which the order counts
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
    "projection",
    "gate",
    "memory",
    "compressed",
    "project",
    "persistent",
    "stream",
    "tree",
    "encoder",
    "bias",
    "span",
    "positions",
    "t5",
    "relative",
    "xl",
    "distance",
    "sink",
]


@dataclass(frozen=True, slots=True)
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
    lowered: bool = True


@dataclass(frozen=True, slots=True)
class Builtin:
    """A word with its arguments; without any it is written without brackets.

    `variadic` is the kind of any number of further placed arguments. What is not `lowered` is
    parsed and checked, and then refused.
    """

    name: str
    group: Group
    positional: tuple[BuiltinParameter, ...] = ()
    keyword: tuple[BuiltinParameter, ...] = ()
    variadic: BuiltinParameter | None = None
    lowered: bool = True

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
        braces = " { .. }" if self.group == "lift" else ""
        return f"{self.name}({', '.join(parts)}){braces}"


def _optional(text: str, slot: BuiltinParameter) -> str:
    return text if slot.required else f"[{text}]"


def _must(
    name: str,
    kind: ArgumentKind,
    least: int | None = None,
    words: tuple[str, ...] = (),
    role: Role | None = None,
) -> BuiltinParameter:
    return BuiltinParameter(name, kind, least, words, required=True, role=role)


def _input(name: str, role: Role) -> BuiltinParameter:
    return _must(name, "input", role=role)


_POSITIONS = _must("positions", "positions", role="set")
_PROJECTION = BuiltinParameter("projection", "input", role="projection")
_BRANCHES = BuiltinParameter("A", "branch")

_RELATIONS = (
    Builtin("full", "relation"),
    Builtin("none", "relation"),
    Builtin("diagonal", "relation"),
    Builtin("causal", "relation"),
    Builtin(
        "local",
        "relation",
        (BuiltinParameter("r", "width"),),
        (
            BuiltinParameter("left", "width"),
            BuiltinParameter("right", "width"),
            BuiltinParameter("dilation", "count", 1),
        ),
    ),
    Builtin("strided", "relation", (_must("s", "count", 1),)),
    Builtin(
        "segment",
        "relation",
        (_must("w", "count", 1),),
        (
            BuiltinParameter("back", "count"),
            BuiltinParameter("ahead", "count"),
            BuiltinParameter("dilation", "count", 1),
            BuiltinParameter("offset", "count"),
        ),
    ),
    Builtin("columns", "relation", (_POSITIONS,)),
    Builtin("rows", "relation", (_POSITIONS,), (_PROJECTION,)),
    Builtin("global", "relation", (_POSITIONS,), (_PROJECTION,)),
    Builtin("permuted", "relation", (_must("p", "order"),)),
    Builtin(
        "random",
        "relation",
        (_must("k", "count", 1),),
        (
            BuiltinParameter("pool", "pool"),
            BuiltinParameter("seed", "count"),
            BuiltinParameter("avoid", "set"),
            BuiltinParameter("share", "word", words=("head", "layer")),
        ),
    ),
    Builtin("listed", "relation", (_input("name", "listed"),)),
    Builtin(
        "neighborhood",
        "relation",
        (_must("grid", "order", 1),),
        (
            BuiltinParameter("radius", "order", 0),
            BuiltinParameter("left", "order", 0),
            BuiltinParameter("right", "order", 0),
            BuiltinParameter("dilation", "order", 1),
            BuiltinParameter("stride", "order", 1),
            BuiltinParameter("edge", "word", words=("clip", "shift")),
            BuiltinParameter("causal", "order"),
        ),
    ),
    Builtin("same", "relation", (_input("name", "labels"),)),
    Builtin("where", "relation", (_must("condition", "condition"),)),
    Builtin("contextual", "relation", (_must("k", "count", 1),)),
    Builtin(
        "lsh",
        "relation",
        (_must("buckets", "count", 1),),
        (
            BuiltinParameter("rounds", "count", 1),
            BuiltinParameter("chunk", "count", 1),
            BuiltinParameter("back", "count", 0),
            BuiltinParameter("shared", "input"),
        ),
        lowered=False,
    ),
    Builtin(
        "cluster",
        "relation",
        (_must("count", "count", 1), _must("take", "count", 1)),
        lowered=False,
    ),
    Builtin("nearest", "relation", (_must("k", "count", 1),), lowered=False),
    Builtin("sinkhorn", "relation", (_must("block", "count", 1),), lowered=False),
)

_COMBINATIONS = (
    Builtin("mix", "combination", variadic=_BRANCHES),
    Builtin(
        "gate",
        "combination",
        keyword=(BuiltinParameter("name", "input", role="gate"),),
        variadic=_BRANCHES,
    ),
    Builtin("sum", "combination", variadic=_BRANCHES),
    Builtin("mean", "combination", variadic=_BRANCHES),
    Builtin(
        "features",
        "combination",
        (_must("m", "count", 1), _must("map", "input")),
        lowered=False,
    ),
)

_OPERATIONS = ("mean", "sum", "max")
_SLOTS = _must("m", "count", 1)
_SOURCES = (
    Builtin("memory", "source", (_SLOTS,)),
    Builtin(
        "compressed", "source", (_SLOTS,), (BuiltinParameter("rate", "count", 1, required=True),)
    ),
    Builtin(
        "pool",
        "source",
        (_must("k", "count", 1), _must("op", "word", words=_OPERATIONS)),
        (
            BuiltinParameter("stride", "count", 1),
            BuiltinParameter("tail", "word", words=("clip", "drop", "merge")),
        ),
    ),
    Builtin("project", "source", (_SLOTS,)),
    Builtin("persistent", "source", (_SLOTS,)),
    Builtin("stream", "source", (_input("name", "stream"), _SLOTS)),
    Builtin("tree", "source", (_must("b", "count", 2),)),
    Builtin("encoder", "source"),
    Builtin("store", "source", (_SLOTS,), lowered=False),
)

_DISTANCE = _must("max_distance", "count", 1)
_MODIFIERS = (
    Builtin("alibi", "modifier"),
    Builtin(
        "t5",
        "modifier",
        (_must("buckets", "count", 1), _DISTANCE),
        (BuiltinParameter("name", "input", role="t5"),),
    ),
    Builtin("relative", "modifier", (_DISTANCE,)),
    Builtin("xl_relative", "modifier"),
    Builtin("distance_aware", "modifier"),
    Builtin("rotary", "modifier", (_must("base", "decimal"),)),
    Builtin("absolute", "modifier", (_input("name", "positions"),)),
    Builtin("softcap", "modifier", (_must("c", "decimal"),)),
    Builtin("softspan", "modifier", (_must("ramp", "decimal"),), (_input("z", "span"),)),
    Builtin("sink", "modifier"),
    Builtin("bias", "modifier", (_input("name", "bias"),)),
    Builtin("scale", "modifier", (_must("e", "decimal"),)),
)

_TWO_NUMBERS = (_must("a", "number"), _must("b", "number"))
_FUNCTIONS = (
    Builtin("min", "function", _TWO_NUMBERS, variadic=BuiltinParameter("c", "number")),
    Builtin("max", "function", _TWO_NUMBERS, variadic=BuiltinParameter("c", "number")),
    Builtin("abs", "function", (_must("a", "number"),)),
    Builtin("ceil_log2", "function", (_must("a", "count"),)),
    Builtin("isqrt", "function", (_must("a", "count"),)),
)

HEADER_CALLS = {
    "query_pool": Builtin(
        "query_pool",
        "function",
        (_must("k", "count", 1), _must("op", "word", words=_OPERATIONS)),
        lowered=False,
    ),
    "unfold": Builtin(
        "unfold",
        "function",
        (_must("c", "count", 1),),
        (BuiltinParameter("margin", "count", 0, required=True),),
        lowered=False,
    ),
}

BLOCKS = Builtin(
    "blocks", "lift", (BuiltinParameter("B", "count", 1),), (BuiltinParameter("parts", "count", 1),)
)
PERIOD = Builtin("period", "positions", (_must("l", "count", 1), _must("a:b", "interval")))

PRIMITIVES: dict[str, Builtin] = {
    primitive.name: primitive
    for primitive in (
        *_RELATIONS,
        *_COMBINATIONS,
        *_SOURCES,
        *_MODIFIERS,
        *_FUNCTIONS,
        BLOCKS,
        PERIOD,
    )
}

VARIABLES = ("i", "j", "n")
INDICES = ("layer", "head", "layers", "heads")
KEYWORDS = ("or", "and", "not", "on", "with", "let", "param", "else", "allow", "empty")

RESERVED: frozenset[str] = frozenset((*PRIMITIVES, *HEADER_CALLS, *VARIABLES, *INDICES, *KEYWORDS))
"""Names that a program cannot bind."""
