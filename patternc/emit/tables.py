"""Table slots of a pass to text: constructor calls of the generated module's table classes.

Tables of different heads become one slot: the same for all, draws that differ in the head of their
key, or one by one. Does not build tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, replace
from itertools import chain
from typing import assert_never

from patternc.algebra.atoms import (
    ConstantSet,
    IntegerTable,
    LabelTable,
    ListedTable,
    OffsetTable,
    PermutationTable,
    RandomTable,
    SetTable,
    SpanTable,
    Table,
)
from patternc.algebra.walk import atoms_of
from patternc.emit.inputs import tables_of
from patternc.emit.text.expressions import simplified
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import Call, Items, Keyword, Leaf, Text, quoted
from patternc.ir.formula import Condition, Truth
from patternc.ir.searches import Search
from patternc.ir.sources import TEXT, TOKENS, Compressed, KeySource, Memory
from patternc.relation.excluded_keys import avoided_by, candidates_of, is_known_at_ends
from patternc.schedule.head_groups import with_slots


def slot(
    tables: tuple[Table, ...], layer: int | None, functions: Functions, source: KeySource
) -> Text:
    """One slot: the tables of all heads of a group, about the slots of a source.

    Draws of `layer` follow the layer of a call.
    """
    if len(set(tables)) == 1:
        return _table(tables[0], _keys(tables[:1]), layer, functions, source)
    if len({_without_head(table) for table in tables}) == 1:
        return _table(tables[0], _keys(tables), layer, functions, source)
    each = tuple(_table(table, _keys((table,)), layer, functions, source) for table in tables)
    return Call("_PerHead", (Items(each),))


def _without_head(table: Table) -> Table:
    match table:
        case RandomTable(random):
            return replace(table, random=replace(random, head=0))
        case _:
            return table


def _keys(tables: tuple[Table, ...]) -> tuple[int, ...]:
    return tuple(table.random.head for table in tables if isinstance(table, RandomTable))


def _table(
    table: Table, heads: tuple[int, ...], layer: int | None, functions: Functions, source: KeySource
) -> Text:
    match table:
        case RandomTable(block=block, parts=parts):
            drawn = _random(table, heads, layer, functions)
            return Call("_Random", (*drawn, *_scope(block, parts), *_ending(source)))
        case ListedTable(name, block, parts):
            found = _found(table, layer, functions)
            wide = [Keyword("entry", Leaf(str(table.entry)))] if table.entry > 1 else []
            return Call("_Listed", (quoted(name), *_scope(block, parts), *wide, *found))
        case PermutationTable(keys, block, parts):
            return Call("_Permutation", (numbers(keys), *_scope(block, parts)))
        case SetTable(name, block, parts, of_rows):
            return Call("_Set", (quoted(name), *_scope(block, parts), *_side(of_rows)))
        case OffsetTable(name, block, parts):
            return Call("_Offsets", (quoted(name), *_scope(block, parts)))
        case ConstantSet(listing, block, of_rows):
            listed: list[Text] = [Leaf(functions.ranges(listing, "_positions_#"))]
            ending = _ending(TEXT if source == TEXT else TOKENS if of_rows else source)
            return Call("_Constant", (*listed, *_scope(block, 0), *_side(of_rows), *ending))
        case LabelTable(name, block, parts, keys, own):
            before = [Keyword("keys", quoted(keys))] if keys else []
            before += [Keyword("own", Leaf("True"))] if own else []
            return Call("_Labels", (quoted(name), *_scope(block, parts), *before))
        case IntegerTable(name, size=True):
            return Call("_CallSize", (quoted(name),))
        case IntegerTable(name, block, parts, own, of_keys):
            flags = (("own", own), ("of_keys", of_keys))
            marks = [Keyword(word, Leaf("True")) for word, held in flags if held]
            return Call("_Integers", (quoted(name), *_scope(block, parts), *marks))
        case SpanTable(kind, branching, count):
            sizes = (branching, count) if count else (branching,)
            return Call("_Spans", (quoted(kind), *(Leaf(str(size)) for size in sizes)))
        case _:
            assert_never(table)


def _random(
    table: RandomTable, heads: tuple[int, ...], layer: int | None, functions: Functions
) -> list[Text]:
    random, on_tokens = table.random, table.source == TOKENS
    pool = functions.ranges(random.pool, "_pool_#")
    arguments: list[Text] = [
        Keyword("count", Leaf(str(random.count))),
        Keyword("pool", Leaf(pool)),
        Keyword("seed", Leaf(str(random.seed))),
        Keyword("heads", numbers(heads)),
    ]
    if random.layer != layer:
        arguments.append(Keyword("layer", Leaf(str(random.layer))))
    arguments += _avoided(simplified(avoided_by(table)), layer, functions, table.source)
    past_only = random.past_only and on_tokens
    return arguments + ([Keyword("past_only", Leaf("True"))] if past_only else [])


def as_given(table: Table) -> Table:
    """The table as a call gives it, where nothing is searched."""
    return replace(table, found=None) if isinstance(table, ListedTable) else table


def _found(table: ListedTable, layer: int | None, functions: Functions) -> list[Text]:
    """How lists are found, and what they may hold."""
    if table.found is None:
        return []
    search, among = table.found.search, simplified(candidates_of(table))
    arguments = list(_arguments_of(search))
    if among != Truth(True):
        predicate, tables = _with_tables(among, layer, functions, table.source, "_candidates_#")
        arguments.append(Keyword("allowed", predicate))
        arguments += [Keyword("tables", Items(tables))] if tables else []
        if table.width > 1 and is_known_at_ends(among, table):
            arguments.append(Keyword("ends", Leaf("True")))
    return [Keyword("search", Call(f"_{type(search).__name__}", tuple(arguments)))]


def _arguments_of(search: Search) -> Iterator[Text]:
    for field in fields(search):
        value = getattr(search, field.name)
        text = quoted(value) if isinstance(value, str) else Leaf(str(value))
        if field.default == MISSING:
            yield text
        elif value != field.default:
            yield Keyword(field.name, text)


def _avoided(
    avoid: Condition, layer: int | None, functions: Functions, source: KeySource
) -> list[Text]:
    if avoid == Truth(False):
        return []
    predicate, tables = _with_tables(avoid, layer, functions, source, "_avoided_#")
    avoided: list[Text] = [Keyword("avoided", predicate)]
    return avoided + ([Keyword("tables", Items(tables))] if tables else [])


def _with_tables(
    condition: Condition, layer: int | None, functions: Functions, source: KeySource, kind: str
) -> tuple[Text, tuple[Text, ...]]:
    """A predicate of its own, and the tables that it asks."""
    asked = tuple(dict.fromkeys(chain.from_iterable(map(tables_of, atoms_of(condition)))))
    slotted = with_slots(condition, {table: number for number, table in enumerate(asked)})
    predicate = functions.predicate(slotted, 0, len(asked), kind, source != TOKENS)
    return Leaf(predicate), tuple(slot((table,), layer, functions, source) for table in asked)


def projected_rows(projected: Iterable[tuple[Condition, str]], functions: Functions) -> Text:
    """Rows by the name of their projection: (name, predicate, tables) each."""

    def one(rows: Condition, name: str) -> Text:
        predicate, tables = _with_tables(rows, None, functions, TOKENS, "_rows_#")
        return Items((quoted(name), predicate, Items(tables)))

    return Items(tuple(one(*each) for each in projected))


def _ending(source: KeySource) -> list[Text]:
    """What positions in a listing count from, where it is not the number of slots or rows."""
    match source:
        case Memory():
            return [Keyword("end", Leaf("0"))]
        case Compressed(length):
            return [Keyword("end", Leaf(str(length)))]
        case _ if source == TEXT:
            return [Keyword("text", Leaf("True"))]
        case _:
            return []


def _side(of_rows: bool) -> list[Text]:
    return [Keyword("of_rows", Leaf("True"))] if of_rows else []


def numbers(values: tuple[int, ...]) -> Text:
    """A tuple of integers, as a range where that is shorter."""
    if len(values) > 3 and values == tuple(range(values[0], values[0] + len(values))):
        bounds = (str(values[0]), str(values[-1] + 1)) if values[0] else (str(len(values)),)
        return Leaf(f"tuple(range({', '.join(bounds)}))")
    return Items(tuple(Leaf(str(value)) for value in values))


def _scope(block: int, parts: int) -> list[Text]:
    sizes = (("block", block, 1), ("parts", parts, 0))
    return [Keyword(name, Leaf(str(size))) for name, size, plain in sizes if size != plain]
