"""Passes of a schedule to text: what the generated module holds as data.

From `Schedule` to the functions it needs and one tuple of groups for every distinct layer.
Non-goals: the code that runs them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from patternc.emit.functions import Functions
from patternc.emit.kernels import Kernels
from patternc.emit.printer import TORCH, Printer, simplified, slot_of
from patternc.emit.tables import numbers, slot
from patternc.emit.text import Call, Keyword, Lambda, Leaf, Sequence, Text, flat
from patternc.language.formula import Constant, Expression
from patternc.language.sources import TOKENS
from patternc.layout.layout import Literal, Product, Tiling
from patternc.relation.fold import FALSE
from patternc.relation.formulas import variables_of
from patternc.relation.predicate import InRow, Member, SameLabel
from patternc.schedule.schedule import Group, Pass, Schedule


@dataclass(slots=True)
class Printed:
    """What the groups name: torch functions, and kernels."""

    functions: Functions = field(default_factory=Functions)
    kernels: Kernels = field(default_factory=Kernels)


def layer_groups(schedule: Schedule, printed: Printed) -> tuple[list[Text], tuple[int, ...]]:
    """The distinct tuples of groups, and which of them each layer uses.

    Layers that differ only in the layer of their draws' keys become one.
    """
    uses = Counter(schedule.group_of_layer)
    texts: dict[str, Text] = {}
    chosen = []
    for layer, kind in enumerate(schedule.group_of_layer):
        own = layer if uses[kind] == 1 else None
        text = Sequence(tuple(_group(item, own, printed) for item in schedule.groups[kind]))
        texts.setdefault(flat(text), text)
        chosen.append(list(texts).index(flat(text)))
    return list(texts.values()), tuple(chosen)


def _group(group: Group, layer: int | None, printed: Printed) -> Text:
    if group.combined is not None:
        raise NotImplementedError("several softmaxes in one group have no kernel")
    passes = tuple(_pass(item, layer, printed) for item in group.passes)
    return Call("_Group", (numbers(group.heads), Sequence(passes)))


def _pass(item: Pass, layer: int | None, printed: Printed) -> Text:
    if item.source != TOKENS or item.modifiers or item.projection or item.softmax:
        raise NotImplementedError("key sources, modifiers and projections have no kernel")
    functions = printed.functions
    kernel, inline = printed.kernels.name(item)
    scalars = len(item.scalars[0]) if item.scalars else 0
    allowed = functions.predicate(item.predicate, scalars, len(item.tables), "_allowed_#")
    tilings = tuple(_tiling(tiling, functions) for tiling in item.tilings)
    arguments: list[Text] = [Leaf(allowed), Sequence(tilings)]
    if len(tilings) > 1:
        arguments.append(Keyword("tiling_of_head", numbers(item.tiling_of_head)))
    arguments.append(Keyword("kernel", Leaf(kernel)))
    if inline:
        arguments.append(Keyword("inline", Leaf("True")))
    if scalars:
        rows = Sequence(tuple(numbers(row) for row in item.scalars))
        arguments.append(Keyword("scalars", rows))
    if item.tables:
        slots = tuple(slot(tables, layer, functions) for tables in item.tables)
        arguments.append(Keyword("tables", Sequence(slots)))
    if item.multiplicity != 1:
        arguments.append(Keyword("multiplicity", Leaf(str(item.multiplicity))))
    return Call("_Pass", tuple(arguments))


def _tiling(tiling: Tiling, functions: Functions) -> Text:
    closed = functions.runs(tiling.full, "_full_#"), functions.runs(tiling.partial, "_partial_#")
    products = tuple(
        _product(product, functions) for product in tiling.products if not _is_empty(product)
    )
    arguments: tuple[Text, ...] = tuple(map(Leaf, closed))
    return Call("_Tiling", (*arguments, Sequence(products)) if products else arguments)


def _is_empty(product: Product) -> bool:
    return any(item.positive and simplified(item.atom) == FALSE for item in product.literals)


def _product(product: Product, functions: Functions) -> Text:
    tests = [
        test
        for literal in product.literals
        if literal.positive and (test := _test(literal)) is not None
    ]
    listing = next((test for test in tests if test.function == "_ListsTest"), None)
    arguments: list[Text] = [Leaf(functions.runs(product.runs, "_touched_#"))]
    # One listing is enough: what the others leave out, the predicate masks.
    others = tuple(test for test in tests if test.function != "_ListsTest")
    if others:
        arguments.append(Keyword("tests", Sequence(others)))
    if listing:
        arguments.append(Keyword("listing", listing))
    return Call("_Product", tuple(arguments))


def _test(literal: Literal) -> Call | None:
    """A test on tiles that holds wherever the atom holds for a pair of the tile."""
    match literal.atom:
        case InRow(table, Constant(row), Constant(key)):
            numbers_ = Leaf(str(row)), Leaf(str(key))
            return Call("_EntryTest", (_slot(table), *numbers_))
        case InRow(table, row, key) if _only(row, "i") and _only(key, "j"):
            sides = _function(row, "i"), _function(key, "j")
            return Call("_ListsTest", (_slot(table), *sides))
        case SameLabel(table, row, key) if _only(row, "i") and _only(key, "j"):
            sides = _function(row, "i"), _function(key, "j")
            return Call("_LabelTest", (_slot(table), *sides))
        case Member(table, position) if _only(position, "i"):
            return Call("_RowTest", (_slot(table), _function(position, "i")))
        case Member(table, position) if _only(position, "j"):
            return Call("_KeyTest", (_slot(table), _function(position, "j")))
        case _:
            return None


def _only(value: Expression, name: str) -> bool:
    return variables_of(value) - {"n"} == {name}


def _function(value: Expression, name: str) -> Text:
    return Lambda(f"{name}, n", Printer(TORCH).expression(value))


def _slot(table: object) -> Text:
    return Leaf(str(slot_of(table)))
