"""Score modifiers to functions over torch tensors: for the reference, the CPU path and flex."""

from __future__ import annotations

from collections.abc import Iterable

from patternc.emit.text.functions import Functions, head_of
from patternc.emit.text.layout import Call, Leaf, Text, statement
from patternc.emit.text.score_text import TORCH_SCORES, ScorePrinter
from patternc.ir.modifiers import Modifier, ScoreModifier
from patternc.ir.score_expressions import (
    AtDistance,
    AtKey,
    Distance,
    Node,
    OfHead,
    OfKey,
    OfQuery,
    parts,
)
from patternc.modifiers import MODIFIERS

_PLACE = {each.builtin.name: place for place, each in enumerate(MODIFIERS)}


def in_order(modifiers: Iterable[Modifier]) -> tuple[ScoreModifier, ...]:
    """Those that change scores, in the order in which they apply, step by step."""
    held = (each for each in modifiers if isinstance(each, ScoreModifier))
    ordered = sorted(held, key=lambda each: _PLACE[each.word])
    return tuple(step for each in ordered for step in each.steps)


def score_function(modifier: ScoreModifier, functions: Functions) -> str:
    """`_WORD_#(score, table, distance, j)`: tensors [batch, heads, queries, slots] or broadcast."""
    value, printer = modifier.value, ScorePrinter(TORCH_SCORES, _leaf)
    columns = columns_of(value)
    lines = [statement(text, f"{name} = ", 4) for name, text in printer.named(value)]
    if len(columns) > 1:
        lines.insert(0, f"    {', '.join(columns)} = table.split(1, -1)")
    lines.append(statement(printer.expression(value), "return ", 4))
    body = "\n".join(lines)
    table = columns[0] if len(columns) == 1 else "table"
    head = head_of(["score", table, "distance", "j"], body)
    return functions.named(f"_{modifier.word}_#", f"{head}\n{body}")


def columns_of(value: Node) -> list[str]:
    """The names of the table's columns, which are numbers of each head or query."""
    found = (part for part in parts(value) if isinstance(part, OfHead | OfQuery))
    return [part.name for part in sorted(found, key=lambda part: part.column)]


def _leaf(part: Node) -> Text:
    match part:
        case OfHead(name) | OfQuery(name):
            return Leaf(name)
        case Distance():
            return Leaf("distance")
        case AtDistance(low, high):
            least = "table.shape[3] - 1" if low is None else str(low)
            sizes = Leaf("table"), Leaf("distance"), Leaf(least), Leaf(str(high))
            return Call("_at_distance", sizes)
        case AtKey() | OfKey():
            return Call("_at_key", (Leaf("table"), Leaf("j")))
        case _:
            return Leaf("score")
