"""The words of the language: relations, sources, combinations, modifiers, functions.

One table, read by the checker (which arguments, of which kind), by near misses and by the manual's
tests. Placed arguments come first and have no name in the text. The meaning of a word is in
`semantics` and `relation`.
"""

from __future__ import annotations

from patternc.ir.builtin_words import POSITION, Builtin, BuiltinParameter, must, named_input
from patternc.ir.feature_maps import MAPS
from patternc.modifiers import MODIFIERS

_POSITIONS = must("positions", "positions", role="set")
_PROJECTION = BuiltinParameter("projection", "input", role="projection")
_SCORES = BuiltinParameter("scores", "input", role="scores")
_FOUND = BuiltinParameter("name", "input", role="listed")
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
    Builtin("strided", "relation", (must("s", "count", 1),)),
    Builtin(
        "segment",
        "relation",
        (must("w", "count", 1),),
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
    Builtin("permuted", "relation", (must("p", "order"),)),
    Builtin(
        "random",
        "relation",
        (must("k", "count", 1),),
        (
            BuiltinParameter("pool", "pool"),
            BuiltinParameter("seed", "count"),
            BuiltinParameter("avoid", "set"),
            BuiltinParameter("share", "word", words=("head", "layer")),
        ),
    ),
    Builtin(
        "listed",
        "relation",
        (named_input("name", "listed"),),
        (BuiltinParameter("block", "count", 1),),
    ),
    Builtin(
        "neighborhood",
        "relation",
        (must("grid", "order", 1),),
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
    Builtin(
        "windows",
        "relation",
        (must("grid", "order", 1),),
        (
            BuiltinParameter("size", "order", 1, required=True),
            BuiltinParameter("shift", "order", 0),
            BuiltinParameter("dilation", "order", 1),
            BuiltinParameter("edge", "word", words=("clip", "wrap", "roll")),
        ),
    ),
    Builtin("same", "relation", (named_input("name", "labels"),)),
    Builtin("where", "relation", (must("condition", "condition"),)),
    Builtin(
        "visible", "relation", (named_input("begin", "integers"), named_input("end", "integers"))
    ),
    Builtin("offsets", "relation", (must("distances", "distances", role="offsets"),)),
    Builtin("before", "relation", (named_input("bound", "integers"),)),
    Builtin("contextual", "relation", (must("k", "count", 1),)),
    Builtin(
        "lsh",
        "relation",
        (must("buckets", "count", 2),),
        (
            BuiltinParameter("chunk", "count", 1, required=True),
            BuiltinParameter("rounds", "count", 1),
            BuiltinParameter("back", "count", 0),
            BuiltinParameter("edge", "word", words=("clip", "wrap")),
            BuiltinParameter("match", "word", words=("chunk", "bucket")),
            BuiltinParameter("rotations", "input", role="rotations"),
            BuiltinParameter("seed", "count"),
            _FOUND,
        ),
    ),
    Builtin(
        "cluster",
        "relation",
        (must("count", "count", 1), must("take", "count", 1)),
        (
            BuiltinParameter("means", "input", required=True, role="means"),
            BuiltinParameter("own", "word", words=("last",)),
            _FOUND,
        ),
    ),
    Builtin("nearest", "relation", (must("k", "count", 1),), (_SCORES, _FOUND)),
    Builtin(
        "top_blocks",
        "relation",
        (must("k", "count", 1),),
        (
            BuiltinParameter("block", "count", 1, required=True),
            _SCORES,
            BuiltinParameter("share", "word", words=("group",)),
            _FOUND,
        ),
    ),
    Builtin(
        "sinkhorn",
        "relation",
        (must("block", "count", 1),),
        (BuiltinParameter("sweeps", "count", 0), _FOUND),
    ),
)

_COMBINATIONS = (
    Builtin("mix", "combination", variadic=_BRANCHES),
    Builtin(
        "gate",
        "combination",
        keyword=(BuiltinParameter("name", "input", role="gate"),),
        variadic=_BRANCHES,
    ),
    Builtin(
        "difference",
        "combination",
        keyword=(named_input("name", "gate"),),
        variadic=_BRANCHES,
    ),
    Builtin("sum", "combination", variadic=_BRANCHES),
    Builtin("mean", "combination", variadic=_BRANCHES),
    Builtin(
        "features",
        "combination",
        (BuiltinParameter("m", "count", 1),),
        (
            must("map", "word", words=MAPS),
            BuiltinParameter("seed", "count"),
            BuiltinParameter("matrix", "input", role="directions"),
            BuiltinParameter("gate", "input", role="forgetting"),
            BuiltinParameter("same", "input", role="labels"),
        ),
    ),
)

_OPERATIONS = ("mean", "sum", "max")
_SLOTS = must("m", "count", 1)
_SOURCES = (
    Builtin("memory", "source", (_SLOTS,)),
    Builtin(
        "compressed", "source", (_SLOTS,), (BuiltinParameter("rate", "count", 1, required=True),)
    ),
    Builtin(
        "pool",
        "source",
        (must("k", "count", 1), must("op", "word", words=(*_OPERATIONS, "convolution"))),
        (
            BuiltinParameter("stride", "count", 1),
            BuiltinParameter("tail", "word", words=("clip", "drop", "merge")),
        ),
    ),
    Builtin("project", "source", (_SLOTS,), (BuiltinParameter("seed", "count"),)),
    Builtin("persistent", "source", (_SLOTS,)),
    Builtin("stream", "source", (named_input("name", "stream"), _SLOTS)),
    Builtin("tree", "source", (must("b", "count", 2),)),
    Builtin("encoder", "source"),
    Builtin("store", "source", (_SLOTS,)),
)

_MODIFIERS = (
    *(each.builtin for each in MODIFIERS),
    Builtin("rotary", "modifier", (must("base", "decimal"),), (POSITION,)),
    Builtin("absolute", "modifier", (named_input("name", "positions"),)),
    Builtin("sink", "modifier"),
    Builtin("scale", "modifier", (must("e", "decimal"),)),
)

_TWO_NUMBERS = (must("a", "number"), must("b", "number"))
_FUNCTIONS = (
    Builtin("min", "function", _TWO_NUMBERS, variadic=BuiltinParameter("c", "number")),
    Builtin("max", "function", _TWO_NUMBERS, variadic=BuiltinParameter("c", "number")),
    Builtin("abs", "function", (must("a", "number"),)),
    Builtin("ceil_log2", "function", (must("a", "count"),)),
    Builtin("isqrt", "function", (must("a", "count"),)),
)

HEADER_CALLS = {
    "query_pool": Builtin(
        "query_pool",
        "function",
        (must("k", "count", 1), must("op", "word", words=_OPERATIONS)),
        (
            BuiltinParameter("stride", "count", 1),
            BuiltinParameter("apart", "count", 0),
            BuiltinParameter("tail", "word", words=("clip", "drop", "truncate")),
        ),
    ),
    "unfold": Builtin(
        "unfold",
        "function",
        (must("c", "count", 1),),
        (BuiltinParameter("margin", "count", 0, required=True),),
    ),
}

BLOCKS = Builtin(
    "blocks", "lift", (BuiltinParameter("B", "count", 1),), (BuiltinParameter("parts", "count", 1),)
)
WITHIN = Builtin("within", "lift", (must("a:b", "part"),))
POWERS = Builtin("powers", "distances", (must("base", "count", 2),))
PERIOD = Builtin("period", "positions", (must("l", "count", 1), must("a:b", "interval")))

SEARCHES = ("nearest", "top_blocks", "lsh", "cluster", "sinkhorn")
"""Relations whose lists are found in the call, unless given."""

PRIMITIVES: dict[str, Builtin] = {
    primitive.name: primitive
    for primitive in (
        *_RELATIONS,
        *_COMBINATIONS,
        *_SOURCES,
        *_MODIFIERS,
        *_FUNCTIONS,
        BLOCKS,
        WITHIN,
        POWERS,
        PERIOD,
    )
}

VARIABLES = ("i", "j", "n")
INDICES = ("layer", "head", "layers", "heads")
KEYWORDS = ("or", "and", "not", "on", "with", "let", "param", "else", "allow", "empty")

RESERVED: frozenset[str] = frozenset(
    (*PRIMITIVES, *HEADER_CALLS, *VARIABLES, *INDICES, *KEYWORDS)
) - {"before", "decay", "difference", "offsets", "powers", "visible", "windows", "within"}
"""Names that a program cannot bind; programs are older than the words that are not among them."""
