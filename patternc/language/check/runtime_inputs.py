"""The run-time inputs of a program: what the call must give, and in which shape.

Converts the rules to inputs in the order of their first use: those that the program names, and
those of a fixed name that sources and modifiers take. Does not determine their sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from patternc.frozen import frozen
from patternc.ir.builtin_words import Role
from patternc.language.check.arguments import fill
from patternc.language.check.call_names import why_taken
from patternc.language.syntax.ast import Binary, Call, Lift, Name, Node, Range, Reading, children
from patternc.language.syntax.builtins import PRIMITIVES, SEARCHES
from patternc.language.syntax.diagnostics import Diagnostic, Findings, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span
from patternc.modifiers import MODIFIERS

UNNAMED_GATE = "gate"
"""The input of a `gate` without `name=`."""

_PAIR = "keys and values: a pair of floats"
_ONE_OR_TWO = "for keys and for values, a pair or one for both: floats"
_SHAPES: dict[Role, str] = {
    "listed": "integers [rows, k], [heads, rows, k] or [batch, heads, rows, k]; negative: empty",
    "set": "booleans [n] or [batch, n], or integers [m], the positions",
    "labels": "integers [n] or [batch, n]; negative: equal to nothing",
    "integers": "integers [n], [batch, n], [heads, n] or [batch, heads, n]",
    "offsets": "integers [k], [heads, k] or [batch, heads, k], the distances",
    "size": "an integer, or integers [batch]; 0 or more",
    "projection": "q, k and v: three tensors of the shapes of the call's own",
    "gate": "floats [heads] or [batch, heads, queries]; for more than two branches [branches, ..]",
    "scores": "floats [batch, heads or 1, queries, keys or blocks of keys]",
    "directions": "floats [directions, head_dim] or [heads, directions, head_dim]",
    "forgetting": "floats [batch, heads, n] from 0 to 1: the share that earlier tokens keep",
    "rotations": "floats [heads, head_dim, rounds, buckets // 2]; directions of the hashes",
    "means": "floats [heads, clusters, head_dim]",
    "memory": f"{_PAIR} [batch, kv_heads, m, head_dim]; the newest m or fewer",
    "compressed": f"{_PAIR} [batch, kv_heads, m, head_dim]; the newest m or fewer",
    "project": f"{_ONE_OR_TWO} [m, n] or [kv_heads, m, n]",
    "convolution": f"{_ONE_OR_TWO} [head_dim, head_dim, k]",
    "persistent": f"{_PAIR} [kv_heads, m, head_dim]",
    "store": f"{_PAIR} [batch, kv_heads, m, head_dim]; m slots or fewer",
    "stream": f"{_PAIR} [batch, kv_heads, m, head_dim]",
    "tree": f"{_PAIR} [batch, kv_heads, m, head_dim]; all nodes by level, the tokens first",
    "encoder": f"{_PAIR} [batch, kv_heads, m, head_dim]; any m",
    "bias": "floats [heads, queries, keys]",
    "slopes": "floats [heads]",
    "span": "floats [heads]",
    "token_span": "floats [batch, heads, queries]",
    "decay": "floats [batch, heads, n]",
    "positions": "floats [n, head_dim], or a pair for queries and keys, each [n, head_dim] or "
    "[heads, n, head_dim]; the rows of a memory's slots come before",
    "t5": "floats [buckets, heads]",
    "relative": "floats [2 * max_distance + 1, head_dim]; row max_distance is j = i",
    "relative_values": "floats [2 * max_distance + 1, value_dim]; row max_distance is j = i",
    "distance": "floats [heads]",
    "sink": "floats [heads]",
}
_XL_SHAPES = {
    "xl_u": "floats [heads, head_dim]",
    "xl_v": "floats [heads, head_dim]",
    "xl_r": "floats [distances, heads, head_dim]; index i - j, so n and the memory's slots many",
}
# What sources and modifiers take under a name of its own.
_FIXED: dict[str, tuple[tuple[str, Role], ...]] = {
    "memory": (("memory_kv", "memory"),),
    "compressed": (("compressed_kv", "compressed"),),
    "store": (("store_kv", "store"),),
    "project": (("project_weights", "project"),),
    "convolution": (("pool_kernels", "convolution"),),
    "persistent": (("persistent_kv", "persistent"),),
    "tree": (("tree_kv", "tree"),),
    "encoder": (("encoder_kv", "encoder"),),
    "sink": (("sinks", "sink"),),
    **{each.builtin.name: each.inputs for each in MODIFIERS},
}
# What is taken under this name where `name=` gives none.
_UNNAMED: dict[str, tuple[str, Role]] = {
    "gate": (UNNAMED_GATE, "gate"),
    **{each.builtin.name: each.unnamed for each in MODIFIERS if each.unnamed},
}
DECIDING: tuple[Role, ...] = ("listed", "set", "labels", "integers", "size", "offsets")
"""Roles that decide which pairs there are; the others bring keys, weights of modifiers, gates.

Inside blocks these count blocks; on another source than the tokens some count its slots.
"""
# Whose integers words take: those of the keys, or of the rows.
_SIDE_OF = {"visible": "j", "before": "i"}
_OF_KEYS = ("columns", "listed", *SEARCHES)
# Sources whose slots have labels of their own, beside streams.
_LABELLED = ("memory", "encoder")


@frozen
class RunTimeInput:
    """A tensor, or a few, given at call time. `shape` is human-readable.

    `rows` are those whose call takes it, the tokens' without a name; `counts` is the stream whose
    slots are its n, none for the tokens. What is `found` in the call need not be given. One that
    `decides` says which pairs there are.
    """

    name: str
    role: Role
    shape: str
    rows: tuple[str, ...] = ("",)
    counts: str = ""
    found: bool = False
    decides: bool = True


@frozen
class _Within:
    """What stands around a relation: braces, its source and stream, and whose rows it is for."""

    lifted: bool = False
    source: str = ""
    stream: str = ""
    rows: str = ""
    sizes: frozenset[str] = frozenset()

    def counts(self, function: str) -> str:
        """The stream whose slots an input counts."""
        return self.rows if function in ("rows", "listed", *SEARCHES) else ""

    def unit(self, function: str, role: Role) -> str:
        """What is counted, as the shape says it."""
        slots = f"; keys count slots of `{self.source}`"
        elsewhere = slots if self.source and function in _OF_KEYS else ""
        asking = f"; rows are those of `{self.rows}`" if self.counts(function) else ""
        lifted = "; n, queries and positions count blocks" if self.lifted else ""
        return asking + elsewhere + lifted if role in DECIDING else ""

    def on(self, source: Name | Call) -> _Within:
        """The same inside `on`."""
        if isinstance(source, Name):
            return replace(self, source=source.name)
        names = (a.value.name for a in source.arguments if isinstance(a.value, Name))
        stream = next(names, "") if source.function == "stream" else ""
        return replace(self, source=source.function, stream=stream)

    def labelled(self) -> tuple[str, ...]:
        """The sequences that `same` compares, as rows and as keys; empty for the tokens."""
        return tuple(dict.fromkeys((self.rows, self.keys_of)))

    @property
    def keys_of(self) -> str:
        """The sequence that keys count; empty for the tokens."""
        return self.source if self.source in _LABELLED else self.stream


@frozen
class _Use:
    name: str
    role: Role
    unit: str
    span: Span
    counts: str = ""
    found: bool = False
    decides: bool = True

    def shape(self) -> str:
        shape = _XL_SHAPES[self.name] if self.role == "xl" else _SHAPES[self.role]
        return shape + self.unit + ("; found in the call unless given" if self.found else "")


_Seen = set[tuple[str, _Within]]


def inputs_of(
    patterns: list[tuple[Node, str]],
    lets: Mapping[str, Node],
    ruleless: list[str],
    findings: Findings,
    sizes: frozenset[str] = frozenset(),
) -> tuple[RunTimeInput, ...]:
    """The inputs in the order of their first use.

    Patterns come with the name of their rows; rows without rules attend to every stream. `sizes`
    are declared, and inputs where they appear.
    """
    uses: dict[str, _Use] = {}
    takers: dict[str, list[str]] = {}
    deciding: set[str] = set()
    for pattern, rows in patterns:
        for use in _uses(pattern, lets, _Within(rows=rows, sizes=sizes), set()):
            first = uses.setdefault(use.name, use)
            takers.setdefault(use.name, []).append(rows)
            deciding |= {use.name} if use.decides and use.role in DECIDING else set()
            if first.shape() != use.shape():
                findings.add(_two_roles(use, first))
    for name, use in uses.items():
        if taken := why_taken(name):
            findings.add(_taken(use, taken))
        takers[name] += ruleless if use.role == "stream" else []
    return tuple(
        RunTimeInput(
            use.name,
            use.role,
            use.shape(),
            tuple(dict.fromkeys(takers[use.name])),
            use.counts,
            use.found,
            use.name in deciding,
        )
        for use in uses.values()
    )


def _uses(
    node: Node | Range, lets: Mapping[str, Node], within: _Within, seen: _Seen
) -> Iterator[_Use]:
    match node:
        case Name(name) if name in lets:
            if (name, within) not in seen:
                seen.add((name, within))
                yield from _uses(lets[name], lets, within, seen)
        case Name(name) if name in within.sizes:
            yield _Use(name, "size", "", node.span)
        case Name(name):
            yield from _fixed(name, node.span)
        case Binary("on", left, Name() | Call() as source):
            yield from _uses(left, lets, within.on(source), seen)
            yield from _uses(node.right, lets, within, seen)
        case Binary("with", left, Call() as modifier):
            yield from _uses(left, lets, within, seen)
            yield from _positions(modifier, dict.fromkeys(_keys_of(left, lets, within)))
            yield from _uses(modifier, lets, within, seen)
        case Lift(call, body):
            for child in children(call):
                yield from _uses(child, lets, within, seen)
            yield from _uses(body, lets, replace(within, lifted=True), seen)
        case Reading(name, Name("i" | "j" as side)):
            yield from _integers(name.name, side, within, node.span)
        case Call():
            yield from _named(node, lets, within)
            yield from _fixed(_brings(node), node.span)
            for child in children(node):
                yield from _uses(child, lets, within, seen)
        case _:
            for child in children(node):
                yield from _uses(child, lets, within, seen)


def _named(node: Call, lets: Mapping[str, Node], within: _Within) -> Iterator[_Use]:
    """The inputs that the program names."""
    roles: list[Role] = []
    for slot, argument in fill(node, PRIMITIVES[node.function])[0]:
        match slot.role, argument.value:
            case "labels" as role, Name(name):
                yield from _labels(name, within, argument.value.span)
            case "integers", Name(name) if node.function in _SIDE_OF:
                side = _SIDE_OF[node.function]
                yield from _integers(name, side, within, argument.value.span)
            case "integers", _:
                pass  # positions of a modifier
            case str() as role, Name(name) if name not in lets:
                roles.append(role)
                suffix = "_kv" if role == "stream" else ""
                unit = within.unit(node.function, role)
                counts = within.counts(node.function)
                found = node.function in SEARCHES and role == "listed"
                unit += "; entries are blocks of keys" if _is_wide(node) else ""
                yield _Use(name + suffix, role, unit, argument.value.span, counts, found)
            case _:
                pass
    if node.function in _UNNAMED and not roles:
        name, role = _UNNAMED[node.function]
        yield _Use(name, role, "", node.span)
    if node.function in SEARCHES and "listed" not in roles:
        unit, counts = within.unit(node.function, "listed"), within.counts(node.function)
        yield _Use(node.function, "listed", unit, node.span, counts, found=True)


def _positions(modifier: Call, keys: Iterable[_Within]) -> Iterator[_Use]:
    """Where queries stand, and the keys of every sequence that a modifier's term has."""
    for slot, argument in fill(modifier, PRIMITIVES[modifier.function])[0]:
        if slot.role == "integers" and isinstance(argument.value, Name):
            for within in keys:
                for side in ("i", "j"):
                    found = _integers(argument.value.name, side, within, argument.value.span)
                    yield from (replace(use, decides=False) for use in found)


def _keys_of(node: Node | Range, lets: Mapping[str, Node], within: _Within) -> Iterator[_Within]:
    """The sequences that the keys of a term are of, as what stands around its relations."""
    match node:
        case Name(name) if name in lets:
            yield from _keys_of(lets[name], lets, within)
        case Binary("on", _, Name() | Call() as source):
            yield within.on(source)
        case Binary("+" | "&", left, right):
            yield from _keys_of(left, lets, within)
            yield from _keys_of(right, lets, within)
        case Binary(_, left, _):
            yield from _keys_of(left, lets, within)
        case Name("causal"):
            pass  # as an operand it refers to every source
        case _:
            yield within


def _is_wide(node: Call) -> bool:
    """Whether a list that the call gives has blocks of keys as entries."""
    return node.function == "listed" and any(each.name == "block" for each in node.arguments)


def _labels(name: str, within: _Within, span: Span) -> Iterator[_Use]:
    """The labels of the tokens, and `NAME_SOURCE` those of the slots of another sequence."""
    for sequence in within.labelled():
        unit = within.unit("same", "labels")
        slots = f"; n are the slots of `{sequence}`" if sequence else ""
        counted = "" if sequence in _LABELLED else sequence
        own = f"{name}_{sequence}" if sequence else name
        yield _Use(own, "labels", slots + unit, span, counted)


def _integers(name: str, side: str, within: _Within, span: Span) -> Iterator[_Use]:
    """The integers of the rows, or of the keys: `NAME_SOURCE` those of another sequence."""
    sequence = within.rows if side == "i" else within.keys_of
    unit = within.unit("where", "integers")
    slots = f"; n are the slots of `{sequence}`" if sequence else ""
    counted = "" if sequence in _LABELLED else sequence
    own = f"{name}_{sequence}" if sequence else name
    yield _Use(own, "integers", slots + unit, span, counted)


def _brings(node: Call) -> str:
    """The word that says which inputs of fixed names a call takes."""
    given = {slot.name: argument for slot, argument in fill(node, PRIMITIVES[node.function])[0]}
    match node.function:
        case "project" if "seed" in given:
            return ""
        case "pool" if "op" in given and given["op"].value == Name("convolution"):
            return "convolution"
        case function:
            return function


def _fixed(word: str, span: Span) -> Iterator[_Use]:
    for name, role in _FIXED.get(word, ()):
        yield _Use(name, role, "", span)


def _taken(use: _Use, taken: str) -> Diagnostic:
    return diagnostic("P044.name_taken", use.span, name=use.name, taken=taken)


def _two_roles(use: _Use, first: _Use) -> Diagnostic:
    return diagnostic(
        "P048.two_roles",
        use.span,
        (Mark(first.span, f"here: {first.shape()}"),),
        name=use.name,
        shape=use.shape(),
    )
