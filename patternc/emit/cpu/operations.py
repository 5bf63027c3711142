"""Score modifiers to C functions, of vectors that hold a key's scores for some rows.

Converts a modifier's expression, and its derivatives by the score and by what its table holds, to
the bodies of the functions that `codegen/cpu_native/operations.c.jinja` names.
"""

from __future__ import annotations

from collections.abc import Iterable

from patternc.algebra.score_derivatives import Terms, derivative
from patternc.emit.text.layout import Call, Leaf, Text, flat
from patternc.emit.text.score_text import C_SCORES, ScorePrinter
from patternc.frozen import frozen
from patternc.ir.modifiers import ScoreModifier
from patternc.ir.score_expressions import (
    SCORE,
    AtDistance,
    AtKey,
    Distance,
    Entry,
    Named,
    Node,
    Number,
    OfHead,
    OfKey,
    OfQuery,
    parts,
)


@frozen
class NativeOperation:
    """A modifier's functions: the bodies of `value`, `slope` and `learn`, and `entry`.

    `learns` counts the parts of its table that may have gradients, `looks_up` says that every pair
    has an entry of its own.
    """

    word: str
    value: str
    slope: str
    learn: str
    entry: str
    learns: int
    looks_up: bool


def native_operations(modifiers: Iterable[ScoreModifier]) -> tuple[NativeOperation, ...]:
    """In order; their numbers begin at 1."""
    return tuple(map(_operation, modifiers))


def _operation(modifier: ScoreModifier) -> NativeOperation:
    value = modifier.value
    learned = _learned(modifier)
    return NativeOperation(
        modifier.word,
        _body(value, "return", _PRINTER.expression(value)),
        _body(value, "return", _derived(derivative(value, SCORE))),
        _learn(value, learned),
        _entry(learned),
        len(learned),
        any(isinstance(part, Entry | OfKey) for part in learned),
    )


def _learned(modifier: ScoreModifier) -> list[Node]:
    """What a table of inputs holds: an entry, or numbers in the order of its columns."""
    if modifier.table is None or not modifier.table.inputs:
        return []
    held = parts(modifier.value)
    entries = [part for part in held if isinstance(part, Entry | OfKey)]
    return [*entries] or [part for part in held if isinstance(part, OfHead | OfQuery)]


def _learn(value: Node, learned: list[Node]) -> str:
    texts = [_derived(derivative(value, part)) for part in learned]
    lines = [f"  found[{x}] = {flat(text)};" for x, text in enumerate(texts)]
    return "\n".join([*_names(value, texts), *lines])


def _derived(terms: Terms) -> Text:
    """A derivative as a vector."""
    steps = (value for term in terms for _, value in term.steps)
    held = {type(part) for value in steps for part in parts(value)}
    if held <= {Number}:
        return Call("broadcast", (_PRINTER.derivative(terms),))
    return _PRINTER.derivative(terms)


def _entry(learned: list[Node]) -> str:
    """Where the parts are in a row of the table."""
    match learned:
        case [AtDistance() as part]:
            return flat(_place(part))
        case [AtKey() | OfKey()]:
            return "entry_of_key(p)"
        case _:
            columns = [x.column for x in learned if isinstance(x, OfHead | OfQuery)]
            listed = ", ".join(map(str, columns or [0]))
            return f"((const int32_t[]){{{listed}}})[part] - (ivec){{0}}"


def _body(value: Node, word: str, text: Text) -> str:
    return "\n".join([*_names(value, [text]), f"  {word} {flat(text)};"])


def _names(value: Node, texts: list[Text]) -> list[str]:
    """Those parts with names that the texts ask, or that such parts ask."""
    asked, lines = " ".join(map(flat, texts)), []
    for part in reversed([each for each in parts(value) if isinstance(each, Named)]):
        if part.name in asked:
            text = flat(_PRINTER.expression(part.operand))
            lines.append(f"  const vec {part.name} = {text};")
            asked += f" {text}"
    return lines[::-1]


def _leaf(part: Node) -> Text:
    match part:
        case OfHead(_, column) | OfQuery(_, column):
            return Call("of_row", (Leaf("p"), Leaf(str(column))))
        case Distance():
            return Call("distances", (Leaf("p"),))
        case AtDistance():
            return Call("looked_up", (Leaf("p"), _place(part)))
        case AtKey() | OfKey():
            return Call("looked_up", (Leaf("p"), Leaf("entry_of_key(p)")))
        case _:
            return Leaf("score")


def _place(part: AtDistance) -> Text:
    low = "p->size - 1" if part.low is None else str(part.low)
    return Call("entry_at", (Leaf("p"), Leaf(low), Leaf(str(part.high))))


_PRINTER = ScorePrinter(C_SCORES, _leaf)
