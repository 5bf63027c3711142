"""Passes of a schedule to text: what the generated module holds as data.

Converts `Schedule` to the functions it needs and one tuple of groups for every distinct layer. The
code that runs them is in the templates.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import assert_never

from patternc.algebra.atoms import (
    ConstantSet,
    InRow,
    IntegerTable,
    LabelTable,
    ListedTable,
    OffsetTable,
    PermutationTable,
    RandomTable,
    SetTable,
    SpanTable,
    Table,
    Within,
)
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import FALSE
from patternc.emit.operands import OperandTable, PassOperands
from patternc.emit.tables import numbers, slot
from patternc.emit.text.expressions import (
    COLUMN_TILES,
    POSITIONS,
    TORCH,
    Names,
    Printer,
    simplified,
    slot_of,
)
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import Call, Items, Keyword, Lambda, Leaf, Text, flat, quoted
from patternc.emit.triton.kernels import KernelNames, Kernels
from patternc.ir.feature_maps import FeatureMap
from patternc.ir.formula import All, Atom, Condition, Expression, Variable
from patternc.ir.modifiers import Sink
from patternc.ir.sources import TOKENS, Encoder
from patternc.relation.relation import Combined
from patternc.schedule.schedule import Group, HeadClasses, Pass, Schedule
from patternc.tiling.classify import Classified
from patternc.tiling.tile_lists import condition_of
from patternc.tiling.tiling import TableTiles, Tiling


@dataclass(slots=True)
class Printed:
    """What the groups name: torch functions, kernels, and numbered queries, feeds and tables.

    `has_kernels`: passes name Triton kernels. `has_lists`: a backend takes lists of tiles wherever
    a pass has tiles.
    """

    has_kernels: bool
    has_lists: bool
    functions: Functions = field(default_factory=Functions)
    kernels: Kernels = field(default_factory=Kernels)
    treatments: OperandTable = field(default_factory=OperandTable)


def layer_groups(schedule: Schedule, printed: Printed) -> tuple[list[Text], tuple[int, ...]]:
    """The distinct tuples of groups, and which of them each layer uses.

    Layers that differ only in the layer of their draws' keys become one.
    """
    uses = Counter(schedule.group_of_layer)
    texts: dict[str, Text] = {}
    chosen = []
    for layer, kind in enumerate(schedule.group_of_layer):
        # The layers of other rows come after those that a call names.
        own = layer if uses[kind] == 1 and layer < (schedule.layers or 1) else None
        text = Items(tuple(_group(item, own, printed) for item in schedule.groups[kind]))
        texts.setdefault(flat(text), text)
        chosen.append(list(texts).index(flat(text)))
    return list(texts.values()), tuple(chosen)


def _group(group: Group, layer: int | None, printed: Printed) -> Text:
    launched = [item for item in group.passes if feature_map_of(item) is None]
    softmaxes = Counter(item.softmax for item in launched)
    passes = tuple(_pass(item, layer, printed, softmaxes[item.softmax] > 1) for item in launched)
    named: list[Text] = []
    mapped = [item for item in group.branches if feature_map_of(item) is not None]
    if group.cut or mapped:
        branches = tuple(_pass(item, layer, printed) for item in group.branches)
        named.append(Keyword("branches", Items(branches)))
    if mapped:
        features = tuple(_pass(item, layer, printed) for item in mapped)
        named.append(Keyword("features", Items(features)))
    if group.combined is not None:
        named.append(Keyword("combined", _combined(group.combined)))
    return Call("_Group", (numbers(group.heads), Items(passes), *named))


def _combined(combined: Combined) -> Text:
    """(kind, name of the gate, arguments), an argument a softmax's number or a combination."""
    gate = Leaf("None") if combined.gate is None else quoted(combined.gate)
    arguments = tuple(
        Leaf(str(item)) if isinstance(item, int) else _combined(item) for item in combined.arguments
    )
    return Items((quoted(combined.kind), gate, Items(arguments)))


def _rows_of_heads(rows: tuple[tuple[int, ...], ...]) -> Text:
    """A tuple of rows: of many the columns, which take fewer lines."""
    if len(rows) < 4:
        return Items(tuple(map(numbers, rows)))
    columns = map(numbers, zip(*rows, strict=True))
    return Call("tuple", (Call("zip", (*columns, Keyword("strict", Leaf("True")))),))


def _pass(item: Pass, layer: int | None, printed: Printed, beside: bool = False) -> Text:
    """A pass, `beside` others of its softmax."""
    functions, sourced = printed.functions, item.source != TOKENS
    treatment = printed.treatments.of(item, functions)
    scalars = len(item.scalars[0]) if item.scalars else 0
    sizes = scalars, len(item.tables)
    allowed = functions.predicate(item.predicate, *sizes, "_allowed_#", sourced)
    arguments: list[Text] = [Leaf(allowed)]
    kernels = _kernels(item, treatment, printed, beside)
    lists = printed.has_lists or (kernels and not (kernels.inline and kernels.inline_columns))
    if lists:
        arguments.append(_tilings(item, functions, sourced))
    if len(item.tilings) > 1:
        arguments.append(Keyword("tiling_of_head", numbers(item.tiling_of_head)))
    if kernels:
        arguments += _kernel(item, kernels, bool(lists))
    if item.classes:
        arguments.append(Keyword("classes", _classes(item.classes)))
    if scalars:
        arguments.append(Keyword("scalars", _rows_of_heads(item.scalars)))
    if item.tables:
        slots = tuple(slot(tables, layer, functions, item.source) for tables in item.tables)
        arguments.append(Keyword("tables", Items(slots)))
    if not beside and _is_sorted(item, treatment):
        arguments.append(Keyword("sorted", Leaf("True")))
    listed = _listed(item) if printed.has_lists else None
    if listed is not None:
        arguments.append(Keyword("all_in", Leaf(str(listed))))
    steady = printed.has_lists and item.source == TOKENS and _is_steady(item)
    return Call("_Pass", (*arguments, *_treated(item, treatment, steady)))


def _listed(item: Pass) -> int | None:
    """The number of a table of lists whose entries are the keys of all pairs of their rows."""
    if item.classes:
        return None
    for term in _conjuncts(item.predicate):
        match term:
            case InRow(table, Variable("i"), Variable("j")):
                index = slot_of(table)
                if all(_lists_keys(table) for table in item.tables[index]):
                    return index
    return None


def _lists_keys(table: Table) -> bool:
    return isinstance(table, ListedTable) and (table.parts, table.block, table.width) == (0, 1, 1)


def _conjuncts(predicate: Condition) -> tuple[Condition, ...]:
    """What must hold, each by itself."""
    predicate = simplified(predicate)
    return predicate.items if isinstance(predicate, All) else (predicate,)


def _is_sorted(item: Pass, treatment: PassOperands) -> bool:
    """Are all pairs those of one search that sorts, with plain scores?

    What else a pass asks of a pair confines the search too, which is told it.
    """
    terms = _conjuncts(item.predicate)
    asked = {slot_of(term.table) for term in terms if isinstance(term, InRow)}
    plain = len(asked) == 1 and not (treatment.operations or item.classes)
    return plain and all(_sorts(table) for index in asked for table in item.tables[index])


def _sorts(table: Table) -> bool:
    searched = isinstance(table, ListedTable) and table.found
    return bool(searched and searched.search.sorts)


def _tilings(item: Pass, functions: Functions, sourced: bool) -> Text:
    pairs = zip(item.tilings, item.columns, strict=True)
    return Items(
        tuple(
            _tiling(tiling, column, functions, len(item.tables), sourced)
            for tiling, column in pairs
        )
    )


def _kernels(
    item: Pass, treatment: PassOperands, printed: Printed, beside: bool
) -> KernelNames | None:
    """The kernels of a pass; of branches, which have no tiles, and of other backends none."""
    if not (item.tilings and printed.has_kernels):
        return None
    return printed.kernels.of(item, treatment.operations, beside)


def _kernel(item: Pass, kernels: KernelNames, lists: bool) -> list[Text]:
    names = tuple(map(Leaf, kernels.names))
    flags = (
        ("inline", kernels.inline and lists),
        ("inline_columns", kernels.inline_columns and lists),
        ("joined", kernels.joined),
        ("split_rows", item.split_rows is not None),
        ("split_columns", item.split_columns is not None),
    )
    return [
        Keyword("kernels", Items(names)),
        *(Keyword(name, Leaf("True")) for name, held in flags if held),
        *([Keyword("effort", Leaf(str(kernels.effort)))] if kernels.effort else []),
    ]


def _classes(classes: HeadClasses) -> Text:
    offsets = classes.offsets if len(set(classes.offsets)) > 1 else classes.offsets[:1]
    sizes = (classes.stride, classes.residues, classes.segment)
    return Call("_Classes", (*(Leaf(str(size)) for size in sizes), numbers(offsets)))


def _treated(item: Pass, treatment: PassOperands, steady: bool) -> list[Text]:
    """What is not as for plain tokens in one softmax."""
    operations = Items(tuple(operation.text for operation in treatment.operations))
    features = _features(item)
    named: list[tuple[str, object, Text]] = [
        ("multiplicity", item.multiplicity != 1, Leaf(str(item.multiplicity))),
        ("query", treatment.query, Leaf(str(treatment.query))),
        ("feed", treatment.feed, Leaf(str(treatment.feed))),
        ("scores", treatment.operations, operations),
        ("scale", treatment.scale is not None, Leaf(str(treatment.scale))),
        ("sourced", item.source != TOKENS, Leaf("True")),
        ("softmax", item.softmax, Leaf(str(item.softmax))),
        ("sink", any(isinstance(modifier, Sink) for modifier in item.modifiers), Leaf("True")),
        ("by_length", item.source == Encoder() and _asks_n(item), Leaf("True")),
        ("features", features is not None, features or Leaf("None")),
        ("steady", steady, Leaf("True")),
    ]
    return [Keyword(name, text) for name, present, text in named if present]


def _features(item: Pass) -> Text | None:
    found = feature_map_of(item)
    if found is None:
        return None
    named = [
        ("count", found.count, Leaf(str(found.count))),
        ("seed", found.seed, Leaf(str(found.seed))),
        ("causal", found.causal, Leaf("True")),
        ("matrix", found.matrix, quoted(found.matrix or "")),
        ("gate", found.gate, quoted(found.gate or "")),
        ("same", found.same, quoted(found.same or "")),
    ]
    arguments = (Keyword(name, text) for name, given, text in named if given)
    return Call("_Features", (quoted(found.kind), *arguments))


def feature_map_of(item: Pass) -> FeatureMap | None:
    """What stands in place of the scores of a pass, if anything does."""
    return next((each for each in item.modifiers if isinstance(each, FeatureMap)), None)


def _asks_n(item: Pass) -> bool:
    """Is it decided by n, or by tables of rows, which n positions have?"""
    return bool(item.tables) or "n" in variables_of(item.predicate)


def _is_steady(item: Pass) -> bool:
    """Does no pair depend on n, once run-time tables are given by position?"""
    tables = (table for slot in item.tables for table in slot)
    return "n" not in variables_of(item.predicate) and all(map(_is_by_position, tables))


def _is_by_position(table: Table) -> bool:
    match table:
        case ListedTable() | SetTable() | LabelTable() | IntegerTable() | PermutationTable():
            return not table.parts
        case RandomTable() | ConstantSet() | SpanTable() | OffsetTable():
            return False
        case _:
            assert_never(table)


def _tiling(
    tiling: Tiling, column: Classified, functions: Functions, tables: int, sourced: bool
) -> Text:
    closed = [
        functions.runs(runs, kind, sourced)
        for runs, kind in ((tiling.full, "_full_#"), (tiling.partial, "_partial_#"))
    ]
    columns = [
        functions.runs(runs, kind, sourced, COLUMN_TILES)
        for runs, kind in ((column.full, "_full_column_#"), (column.partial, "_partial_column_#"))
    ]
    products = products_of(tiling, functions, tables, "_allowed_#", sourced)
    arguments = tuple(map(Leaf, closed + columns))
    return Call("_Tiling", (*arguments, Items(products)) if products else arguments)


def products_of(
    tiling: Tiling, functions: Functions, tables: int, kind: str, sourced: bool = False
) -> tuple[Text, ...]:
    """The sets of tiles that tables decide; `kind` names the functions that say which pairs."""
    return tuple(
        _product(product, functions, tables, kind, sourced)
        for product in tiling.products
        if not _is_empty(product)
    )


def _is_empty(product: TableTiles) -> bool:
    return any(item.positive and simplified(item.atom) == FALSE for item in product.literals)


def _product(
    product: TableTiles, functions: Functions, tables: int, kind: str, sourced: bool
) -> Call:
    """One listing is enough: what the others leave out, the predicate masks."""
    runs = Leaf(functions.runs(product.runs, "_touched_#", sourced))
    listings = (_listing(item.atom, sourced) for item in product.literals if item.positive)
    listing = next((found for found in listings if found is not None), None)
    named = [Keyword("listing", listing)] if listing else []
    if not all(_tells_no_tile(item.atom) for item in product.literals):
        held = functions.predicate(condition_of(product), 0, tables, kind, sourced)
        named.insert(0, Keyword("held", Leaf(held)))
    return Call("_Product", (runs, *named))


def _tells_no_tile(atom: Atom) -> bool:
    """Does a list of each row decide, of whose tiles nothing is known but where its entries are?"""
    match atom:
        case InRow(_, row, key):
            return {"i", "j"} <= variables_of(row) | variables_of(key)
        case _:
            return False


def _listing(atom: Atom, sourced: bool) -> Call | None:
    """What names the tiles in which an atom may hold a pair, where a table does."""
    match atom:
        case InRow(table, row, key) if _only(row, "i") and _only(key, "j"):
            sides = _function(row, "i", sourced), _function(key, "j", sourced)
            return Call("_ListsTest", (_slot(table), *sides))
        case Within(table, Variable("i" | "j" as name)):
            return Call("_SpansTest", (_slot(table), Leaf(str(name == "j"))))
        case _:
            return None


def _only(value: Expression, name: str) -> bool:
    return variables_of(value) - {"n", "m"} == {name}


def _function(value: Expression, name: str, sourced: bool) -> Text:
    """A function of positions; the lengths of another source come as a pair."""
    names = Names({name: name, "n": "n[0]", "m": "n[1]"}) if sourced else POSITIONS
    length = "n" if {"n", "m"} & variables_of(value) else "_"
    return Lambda(f"{name}, {length}", Printer(TORCH, names).expression(value))


def _slot(table: object) -> Text:
    return Leaf(str(slot_of(table)))
