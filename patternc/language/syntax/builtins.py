"""The words of the language: relations, sources, combinations, modifiers, functions.

One table, read by the checker (which arguments, of which kind), by near misses and by the manual's
tests. Placed arguments come first and have no name in the text. Non-goals: meaning, which the
relation room has for every term.
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
    "input",  # the name of something given at the call
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
class Slot:
    """One argument: its name in messages (and in the text, where it is given by name).

    `role` is what the run-time input named by the argument is.
    """

    name: str
    kind: ArgumentKind
    least: int | None = None
    words: tuple[str, ...] = ()
    required: bool = False
    role: Role | None = None
    lowered: bool = True


@dataclass(frozen=True, slots=True)
class Primitive:
    """A word with its arguments; without any it is written without brackets.

    `many` is the kind of any number of further placed arguments. What is not `lowered` is parsed
    and checked, and then refused.
    """

    name: str
    group: Group
    placed: tuple[Slot, ...] = ()
    named: tuple[Slot, ...] = ()
    many: Slot | None = None
    lowered: bool = True

    @property
    def bare(self) -> bool:
        return not (self.placed or self.named or self.many)

    def slot(self, name: str) -> Slot | None:
        return next((slot for slot in self.named if slot.name == name), None)

    def usage(self) -> str:
        """How the word is written, as messages show it."""
        if self.bare:
            return self.name
        parts = [_optional(slot.name, slot) for slot in self.placed]
        parts += [f"{self.many.name}, .."] if self.many else []
        parts += [_optional(f"{slot.name}=..", slot) for slot in self.named]
        braces = " { .. }" if self.group == "lift" else ""
        return f"{self.name}({', '.join(parts)}){braces}"


def _optional(text: str, slot: Slot) -> str:
    return text if slot.required else f"[{text}]"


def _must(
    name: str,
    kind: ArgumentKind,
    least: int | None = None,
    words: tuple[str, ...] = (),
    role: Role | None = None,
) -> Slot:
    return Slot(name, kind, least, words, required=True, role=role)


def _input(name: str, role: Role) -> Slot:
    return _must(name, "input", role=role)


_POSITIONS = _must("positions", "positions", role="set")
_PROJECTION = Slot("projection", "input", role="projection")
_BRANCHES = Slot("A", "branch")

_RELATIONS = (
    Primitive("full", "relation"),
    Primitive("none", "relation"),
    Primitive("diagonal", "relation"),
    Primitive("causal", "relation"),
    Primitive(
        "local",
        "relation",
        (Slot("r", "width"),),
        (Slot("left", "width"), Slot("right", "width"), Slot("dilation", "count", 1)),
    ),
    Primitive("strided", "relation", (_must("s", "count", 1),)),
    Primitive(
        "segment",
        "relation",
        (_must("w", "count", 1),),
        (
            Slot("back", "count"),
            Slot("ahead", "count"),
            Slot("dilation", "count", 1),
            Slot("offset", "count"),
        ),
    ),
    Primitive("columns", "relation", (_POSITIONS,)),
    Primitive("rows", "relation", (_POSITIONS,), (_PROJECTION,)),
    Primitive("global", "relation", (_POSITIONS,), (_PROJECTION,)),
    Primitive("permuted", "relation", (_must("p", "order"),)),
    Primitive(
        "random",
        "relation",
        (_must("k", "count", 1),),
        (
            Slot("pool", "pool"),
            Slot("seed", "count"),
            Slot("avoid", "set"),
            Slot("share", "word", words=("head", "layer")),
        ),
    ),
    Primitive("listed", "relation", (_input("name", "listed"),)),
    Primitive(
        "neighborhood",
        "relation",
        (_must("grid", "order", 1),),
        (
            Slot("radius", "order", 0),
            Slot("left", "order", 0),
            Slot("right", "order", 0),
            Slot("dilation", "order", 1),
            Slot("stride", "order", 1),
            Slot("edge", "word", words=("clip", "shift")),
            Slot("causal", "order"),
        ),
    ),
    Primitive("same", "relation", (_input("name", "labels"),)),
    Primitive("where", "relation", (_must("condition", "condition"),)),
    Primitive("contextual", "relation", (_must("k", "count", 1),)),
    Primitive(
        "lsh",
        "relation",
        (_must("buckets", "count", 1),),
        (
            Slot("rounds", "count", 1),
            Slot("chunk", "count", 1),
            Slot("back", "count", 0),
            Slot("shared", "input"),
        ),
        lowered=False,
    ),
    Primitive(
        "cluster",
        "relation",
        (_must("count", "count", 1), _must("take", "count", 1)),
        lowered=False,
    ),
    Primitive("nearest", "relation", (_must("k", "count", 1),), lowered=False),
    Primitive("sinkhorn", "relation", (_must("block", "count", 1),), lowered=False),
)

_COMBINATIONS = (
    Primitive("mix", "combination", many=_BRANCHES),
    Primitive("gate", "combination", named=(Slot("name", "input", role="gate"),), many=_BRANCHES),
    Primitive("sum", "combination", many=_BRANCHES),
    Primitive("mean", "combination", many=_BRANCHES),
    Primitive(
        "features",
        "combination",
        (_must("m", "count", 1), _must("map", "input")),
        lowered=False,
    ),
)

_OPERATIONS = ("mean", "sum", "max")
_SLOTS = _must("m", "count", 1)
_SOURCES = (
    Primitive("memory", "source", (_SLOTS,)),
    Primitive("compressed", "source", (_SLOTS,), (Slot("rate", "count", 1, required=True),)),
    Primitive(
        "pool",
        "source",
        (_must("k", "count", 1), _must("op", "word", words=_OPERATIONS)),
        (Slot("stride", "count", 1), Slot("tail", "word", words=("clip", "drop", "merge"))),
    ),
    Primitive("project", "source", (_SLOTS,)),
    Primitive("persistent", "source", (_SLOTS,)),
    Primitive("stream", "source", (_input("name", "stream"), _SLOTS)),
    Primitive("tree", "source", (_must("b", "count", 2),)),
    Primitive("encoder", "source"),
    Primitive("store", "source", (_SLOTS,), lowered=False),
)

_DISTANCE = _must("max_distance", "count", 1)
_MODIFIERS = (
    Primitive("alibi", "modifier"),
    Primitive(
        "t5",
        "modifier",
        (_must("buckets", "count", 1), _DISTANCE),
        (Slot("name", "input", role="t5"),),
    ),
    Primitive("relative", "modifier", (_DISTANCE,)),
    Primitive("xl_relative", "modifier"),
    Primitive("distance_aware", "modifier"),
    Primitive("rotary", "modifier", (_must("base", "decimal"),)),
    Primitive("absolute", "modifier", (_input("name", "positions"),)),
    Primitive("softcap", "modifier", (_must("c", "decimal"),)),
    Primitive("softspan", "modifier", (_must("ramp", "decimal"),), (_input("z", "span"),)),
    Primitive("sink", "modifier"),
    Primitive("bias", "modifier", (_input("name", "bias"),)),
    Primitive("scale", "modifier", (_must("e", "decimal"),)),
)

_TWO_NUMBERS = (_must("a", "number"), _must("b", "number"))
_FUNCTIONS = (
    Primitive("min", "function", _TWO_NUMBERS, many=Slot("c", "number")),
    Primitive("max", "function", _TWO_NUMBERS, many=Slot("c", "number")),
    Primitive("abs", "function", (_must("a", "number"),)),
    Primitive("ceil_log2", "function", (_must("a", "count"),)),
    Primitive("isqrt", "function", (_must("a", "count"),)),
)

HEADER_CALLS = {
    "query_pool": Primitive(
        "query_pool",
        "function",
        (_must("k", "count", 1), _must("op", "word", words=_OPERATIONS)),
        lowered=False,
    ),
    "unfold": Primitive(
        "unfold",
        "function",
        (_must("c", "count", 1),),
        (Slot("margin", "count", 0, required=True),),
        lowered=False,
    ),
}

BLOCKS = Primitive("blocks", "lift", (Slot("B", "count", 1),), (Slot("parts", "count", 1),))
PERIOD = Primitive("period", "positions", (_must("l", "count", 1), _must("a:b", "interval")))

PRIMITIVES: dict[str, Primitive] = {
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
