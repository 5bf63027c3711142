"""What a pass asks and what happens to its scores, as data and kernel text of the module.

Converts a pass's source, projection and modifiers to numbered queries, feeds and score tables, the
operations on its scores in the order of the manual, and their lines in a kernel. The code that
builds queries, keys and tables is in the templates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from patternc.emit.tables import projected_rows
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import Call, Items, Keyword, Leaf, Text, flat, quoted
from patternc.emit.text.score_functions import in_order, score_function
from patternc.emit.triton.score_mods import Operation, operation, places
from patternc.frozen import frozen
from patternc.ir.modifiers import Absolute, Rotary, Scale, ScoreModifier, ScoreTable
from patternc.ir.sources import (
    TOKENS,
    Compressed,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Store,
    Stream,
    Tokens,
    Tree,
    labels_of,
    word_of,
)
from patternc.ir.sources import Text as OthersText
from patternc.modifiers.xl_relative import XlRelative
from patternc.schedule.schedule import Pass


@frozen
class PassOperands:
    """What a pass is given in addition to its pairs."""

    query: int
    feed: int
    operations: tuple[Operation, ...]
    scale: float | None


@dataclass(slots=True)
class OperandTable:
    """Distinct queries, feeds and score tables, numbered in the order of their first use."""

    queries: list[Text] = field(default_factory=list)
    feeds: list[Text] = field(default_factory=list)
    tables: list[Text] = field(default_factory=list)
    columns: dict[KeySource, str] = field(default_factory=dict)
    pools: list[str] = field(default_factory=list)
    table_kinds: dict[str, None] = field(default_factory=dict)
    modifiers: dict[str, ScoreModifier] = field(default_factory=dict)
    feed_sources: dict[str, None] = field(default_factory=dict)
    needs_tokens: bool = False

    def of(self, item: Pass, functions: Functions) -> PassOperands:
        query = _numbered(self.queries, _query(item, functions))
        feed = _numbered(self.feeds, self._feed(item))
        source = word_of(item.source)
        self.feed_sources[source] = None
        self.columns.setdefault(item.source, self._column(item.source))
        self.needs_tokens |= source in ("tokens", "text", "project", "pool")
        operations = self._operations(item, query, feed, functions)
        return PassOperands(query, feed, operations, _scale(item))

    def _operations(
        self, item: Pass, query: int, feed: int, functions: Functions
    ) -> tuple[Operation, ...]:
        """Modifiers in order; those by positions of the call behind what looks these up."""
        found: list[Operation] = []
        placed, known = 0, ""
        for modifier in in_order(item.modifiers):
            if modifier.position not in ("", known):
                placed, known = len(found), modifier.position
                found.append(self._places(known, placed, feed, item))
            at = placed if modifier.position else None
            found.append(self._operation(modifier, len(found), query, item, functions, at))
        return tuple(found)

    def _places(self, name: str, number: int, feed: int, item: Pass) -> Operation:
        """What looks up the positions of queries and keys, for the operations behind it."""
        self.table_kinds["places"] = None
        inputs = Items((quoted(name), quoted(labels_of(name, item.source))))
        table = _numbered(
            self.tables, Call("_Table", (quoted("places"), inputs, Keyword("feed", _integer(feed))))
        )
        data = Call("_ScoreMod", (Leaf("None"), _integer(table), Keyword("places", Leaf("True"))))
        return places(data, number)

    def _column(self, source: KeySource) -> str:
        """What tells the columns of a mask apart: the input that brings them, if there is one."""
        named = self._source_arguments(source)
        return flat(named[0]).strip('"') if named else word_of(source)

    def _feed(self, item: Pass) -> Text:
        arguments: list[Text] = [quoted(word_of(item.source))] if item.source != Tokens() else []
        arguments += self._source_arguments(item.source)
        if item.projection is not None:
            arguments.append(Keyword("projection", quoted(item.projection)))
        return Call("_Feed", tuple(arguments + _placements(item, item.source)))

    def _source_arguments(self, source: KeySource) -> list[Text]:
        match source:
            case Tokens() | OthersText():
                return []
            case Encoder():
                return [quoted("encoder_kv")]
            case Tree(branching):
                return [quoted("tree_kv"), Keyword("branching", _integer(branching))]
            case Memory(length) | Compressed(length) | Store(length):
                return [quoted(f"{word_of(source)}_kv"), _integer(length)]
            case Project(count, None):
                return [quoted("project_weights"), _integer(count)]
            case Project(count, seed):
                named = [quoted(f"project_{count}_{seed}"), _integer(count)]
                return [*named, Keyword("seed", Leaf(str(seed)))]
            case Persistent(count):
                return [quoted("persistent_kv"), _integer(count)]
            case Stream(name, count):
                return [quoted(f"{name}_kv"), _integer(count)]
            case Pool(size, operation, stride, tail):
                window = (_integer(size), quoted(operation), _integer(stride), quoted(tail))
                return [self._pool(repr(source)), Keyword("window", Items(window))]
            case _:
                assert_never(source)

    def _pool(self, key: str) -> Text:
        """The name under which a call may bring the slots of a pool itself."""
        if key not in self.pools:
            self.pools.append(key)
        return quoted(pool_input(self.pools.index(key)))

    def _operation(
        self,
        modifier: ScoreModifier,
        number: int,
        query: int,
        item: Pass,
        functions: Functions,
        placed: int | None,
    ) -> Operation:
        name = score_function(modifier, functions)
        self.modifiers[name] = modifier
        arguments: list[Text] = [Leaf(name)]
        if modifier.table is not None:
            arguments.append(self._table(modifier.table, query, item))
        found = operation(Call("_ScoreMod", tuple(arguments)), number, modifier, placed)
        flags = (
            ("looks_up", found.looks_up),
            ("of_values", modifier.of_values),
            ("of_keys", found.of_keys is not None),
            ("positioned", placed is not None),
        )
        marks = [Keyword(name, Leaf("True")) for name, held in flags if held]
        return replace(found, text=Call("_ScoreMod", (*arguments, *marks)))

    def _table(self, table: ScoreTable, query: int, item: Pass) -> Text:
        self.table_kinds[table.kind] = None
        inputs = table.inputs
        shifted = any(isinstance(each, XlRelative) for each in item.modifiers)
        if table.kind == "relative" and shifted:
            # The query is shifted for `xl_relative`, which is none of this product.
            inputs = (*inputs, "xl_u")
        scale = _scale(item) if table.of_queries else None
        text = table_text(replace(table, inputs=inputs), query, scale)
        return _integer(_numbered(self.tables, text))


def table_text(table: ScoreTable, query: int = 0, scale: float | None = None) -> Text:
    """How a module makes a table of its inputs, and of the queries of number `query`."""
    arguments: list[Text] = [quoted(table.kind)]
    if table.inputs:
        arguments.append(Items(tuple(map(quoted, table.inputs))))
    numbers = (("query", query), ("low", table.low), ("buckets", table.buckets))
    arguments += [Keyword(name, _integer(value)) for name, value in numbers if value]
    if not table.both_sides:
        arguments.append(Keyword("both_sides", Leaf("False")))
    if scale is not None:
        arguments.append(Keyword("scale", Leaf(str(scale))))
    return Call("_Table", tuple(arguments))


def _scale(item: Pass) -> float | None:
    """What products are scaled by, where the pattern and not the call says it."""
    scales = (modifier.value for modifier in item.modifiers if isinstance(modifier, Scale))
    return next(scales, None)


def pool_input(number: int) -> str:
    return f"pool{number or ''}_kv"


def _query(item: Pass, functions: Functions) -> Text:
    arguments: list[Text] = []
    if item.projected:
        arguments.append(Keyword("rows", projected_rows(item.projected, functions)))
    if item.projection is not None:
        arguments.append(Keyword("projection", quoted(item.projection)))
    if any(isinstance(modifier, XlRelative) for modifier in item.modifiers):
        arguments.append(Keyword("shift", quoted("xl_u")))
    return Call("_Query", tuple(arguments + _placements(item, TOKENS)))


def _placements(item: Pass, source: KeySource) -> list[Text]:
    placed: list[Text] = []
    for modifier in item.modifiers:
        match modifier:
            case Rotary(base, position):
                placed.append(Keyword("rotary", Leaf(str(base))))
                if position:
                    placed.append(Keyword("position", quoted(labels_of(position, source))))
            case Absolute(name):
                placed.append(Keyword("absolute", quoted(name)))
    return placed


def _numbered(known: list[Text], text: Text) -> int:
    if text not in known:
        known.append(text)
    return known.index(text)


def _integer(value: int) -> Text:
    return Leaf(str(value))
