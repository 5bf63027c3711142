"""Score modifiers as text of a `score_mod`: a function of one score and its two positions."""

from __future__ import annotations

from dataclasses import replace

from patternc.emit.operands import table_text
from patternc.emit.text.layout import Leaf, Text, statement
from patternc.emit.text.score_functions import in_order
from patternc.emit.text.score_text import TORCH_SCORES, ScorePrinter
from patternc.frozen import frozen
from patternc.ir.modifiers import Scale, ScoreModifier, ScoreTable, Sink
from patternc.ir.score_expressions import AtDistance, AtKey, Distance, Node, OfHead, OfKey, OfQuery
from patternc.schedule.schedule import Group, Pass


@frozen
class Scored:
    """Branches of a group with the same modifiers of scores, in the order in which they apply."""

    modifiers: tuple[ScoreModifier, ...]
    branches: tuple[Pass, ...]

    @property
    def counts(self) -> bool:
        """May a pair count more than once?"""
        return len(self.branches) > 1 or self.branches[0].multiplicity > 1


def scored(group: Group) -> tuple[Scored, ...]:
    found: dict[tuple[ScoreModifier, ...], list[Pass]] = {}
    for item in group.branches:
        found.setdefault(in_order(item.modifiers), []).append(item)
    return tuple(Scored(modifiers, tuple(items)) for modifiers, items in found.items())


def scale_of(item: Pass) -> float | None:
    """What products are scaled by, where the pattern says it."""
    return next((each.value for each in item.modifiers if isinstance(each, Scale)), None)


def has_sink(group: Group) -> bool:
    return any(isinstance(each, Sink) for item in group.branches for each in item.modifiers)


@frozen
class FlexTable:
    """A table that a score function looks into: `text` makes it of the inputs."""

    kind: str
    inputs: tuple[str, ...]
    text: Text


def tables_of(modifier: ScoreModifier) -> tuple[FlexTable, ...]:
    """The tables; of numbers of each head one for each column."""
    table = modifier.table
    if table is None:
        return ()
    if table.kind == "head":
        return tuple(_table(replace(table, inputs=(name,))) for name in table.inputs)
    return (_table(table),)


def _table(table: ScoreTable) -> FlexTable:
    return FlexTable(table.kind, table.inputs, table_text(table))


def lines_of(modifier: ScoreModifier, tables: tuple[str, ...]) -> list[str]:
    """The statements that change `score`; `distance` is j - i."""

    def leaf(part: Node) -> Text:
        match part:
            case OfHead(_, column):
                return Leaf(f"{tables[column]}[h]")
            case Distance():
                return Leaf("distance")
            case AtDistance(int(low), high):
                return Leaf(f"{tables[0]}[h, distance.clamp(-{low}, {high}) + {low}]")
            case AtKey():
                return Leaf(f"_entry({tables[0]}, b, h, q_idx, kv_idx)")
            case OfQuery():
                return Leaf(f"_entry({tables[0]}, b, h, q_idx)")
            case OfKey():
                return Leaf(f"_entry({tables[0]}, b, h, kv_idx)")
            case _:
                return Leaf("score")

    printer = ScorePrinter(TORCH_SCORES, leaf)
    assigned = [*printer.named(modifier.value), ("score", printer.expression(modifier.value))]
    return [statement(text, f"{name} = ", 4) for name, text in assigned]
