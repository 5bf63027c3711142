"""Layers of a schedule to the functions and data of a FlexAttention file.

Of each distinct layer: its branches as data (tables, scalars, tiles), and the text of factories of
a `mask_mod` and a `score_mod`, whose closures hold tensors only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from patternc.algebra.queries import fits
from patternc.algebra.simplify import FALSE
from patternc.algebra.value_bounds import Reach
from patternc.emit.flex.scores import (
    FlexTable,
    Scored,
    has_sink,
    lines_of,
    scale_of,
    scored,
    tables_of,
)
from patternc.emit.inputs import with_avoided
from patternc.emit.passes import products_of
from patternc.emit.tables import as_given, numbers, slot
from patternc.emit.text.expressions import FLEX, Printer, simplified
from patternc.emit.text.functions import Functions, assignments, head_of
from patternc.emit.text.layout import (
    AND,
    COMPARISON,
    OR,
    PRODUCT,
    SUM,
    Call,
    Chain,
    Items,
    Keyword,
    Leaf,
    Text,
    flat,
    statement,
)
from patternc.emit.text.subexpressions import aliases, operands
from patternc.emit.triton.register_pressure import INT32, MOST_POSITIONS
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.modifiers import ScoreModifier
from patternc.ir.sources import TOKENS
from patternc.relation.cases import split
from patternc.relation.relation import Branch, Conjunct
from patternc.schedule.head_groups import without_scalars
from patternc.schedule.schedule import Group, Pass, Schedule
from patternc.tiling.classify import tiling
from patternc.tiling.tiling import Tiling

_PAIR = ["b", "h", "i", "j", "n"]
_INDENT = 8  # of the statements of an inner function


@frozen
class Layer:
    """The text of one distinct layer; `inputs` are the run-time inputs that it takes."""

    branches: Text
    mask_mod: str
    score_mod: str
    tables: tuple[FlexTable, ...]
    inputs: tuple[str, ...]
    scale: float | None
    sinks: tuple[int, ...]


@dataclass(slots=True)
class Layers:
    """Distinct layers in the order of their first use, which one each layer is, and functions."""

    functions: Functions = field(default_factory=Functions)
    distinct: list[Layer] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)


def layers_of(schedule: Schedule) -> Layers:
    """Layers that differ only in the layer of their draws' keys become one."""
    uses, found = Counter(schedule.group_of_layer), Layers()
    for number, kind in enumerate(schedule.group_of_layer):
        own = number if uses[kind] == 1 else None
        layer = _LayerPrinter(schedule, found.functions, own).layer(schedule.groups[kind])
        if layer not in found.distinct:
            found.distinct.append(layer)
        found.chosen.append(found.distinct.index(layer))
    return found


@frozen
class _Printed:
    """A branch as data, and the text that asks whether it holds a pair."""

    data: Text
    allowed: Text


# By the heads of its group and the branch.
_Pairs = dict[tuple[tuple[int, ...], Pass], _Printed]


@dataclass(slots=True)
class _LayerPrinter:
    """One layer; `names` are the closures of its scalars and tables, branch by branch."""

    schedule: Schedule
    functions: Functions
    own: int | None
    names: list[str] = field(default_factory=list)
    tables: dict[FlexTable, str] = field(default_factory=dict)

    def layer(self, groups: tuple[Group, ...]) -> Layer:
        printed = {
            (group.heads, item): self._branch(group, item)
            for group in groups
            for item in group.branches
        }
        mask_mod = self._mask_mod(groups, printed)
        score_mod = self._score_mod(groups, printed)
        branches = [item for group in groups for item in group.branches]
        asked = with_avoided(t for item in branches for slots in item.tables for t in slots)
        names = [name for table in asked if (name := getattr(table, "name", ""))]
        names += [name for table in self.tables for name in table.inputs]
        sinks = tuple(head for group in groups if has_sink(group) for head in group.heads)
        return Layer(
            Items(tuple(each.data for each in printed.values())),
            mask_mod,
            score_mod,
            tuple(self.tables),
            tuple(dict.fromkeys([*names, *(["sinks"] if sinks else [])])),
            next((scale_of(item) for item in branches), None),
            sinks,
        )

    def _branch(self, group: Group, item: Pass) -> _Printed:
        scalars = len(item.scalars[0]) if item.scalars else 0
        allowed = _predicate(self.functions, item, scalars)
        of_heads = [_tiling(item, head, self.schedule) for head in range(len(item.scalars))]
        tilings = tuple(dict.fromkeys(of_heads))
        data: list[Text] = [numbers(group.heads)]
        data.append(
            Items(tuple(_tiles(each, self.functions, len(item.tables)) for each in tilings))
        )
        if len(tilings) > 1:
            chosen = tuple(tilings.index(each) for each in of_heads)
            data.append(Keyword("tiling_of_head", numbers(chosen)))
        if scalars:
            rows = Items(tuple(numbers(row) for row in item.scalars))
            data.append(Keyword("scalars", rows))
        if item.tables:
            given = (tuple(map(as_given, each)) for each in item.tables)
            slots = (slot(each, self.own, self.functions, TOKENS) for each in given)
            data.append(Keyword("tables", Items(tuple(slots))))
        first = len(self.names)
        own = [f"s{first + k}" for k in range(scalars)]
        own += [f"table{first + scalars + k}" for k in range(len(item.tables))]
        self.names += own
        asked = [Leaf(f"{name}[h]" if name.startswith("s") else name) for name in own]
        pair = tuple(map(Leaf, _PAIR))
        return _Printed(Call("_Branch", tuple(data)), Call(allowed, (*pair, *asked)))

    def _mask_mod(self, groups: tuple[Group, ...], printed: _Pairs) -> str:
        several = len(groups) > 1
        parts = [
            _of_group(number if several else None, _any([printed[group.heads, item].allowed]))
            for number, group in enumerate(groups)
            for item in group.branches
        ]
        if not parts:
            none = _text_of(self.functions, FALSE, 0, 0, wide=False)
            parts = [Call(none, tuple(map(Leaf, _PAIR)))]
        body = "    def mask_mod(b, h, q_idx, kv_idx):\n"
        body += f"{_POSITIONS}{statement(_any(parts), 'return ', _INDENT)}\n\n    return mask_mod"
        return self._factory("_mask_mod_#", [], body)

    def _score_mod(self, groups: tuple[Group, ...], printed: _Pairs) -> str:
        cases = [
            (self._holds(number if len(groups) > 1 else None, group, each, printed), scored_)
            for number, group in enumerate(groups)
            for each in scored(group)
            for scored_ in [self._scored(each, group, printed)]
        ]
        if all(text == _SCORE for _, text in cases):
            return ""
        asked = _SCORE if len({flat(text) for _, text in cases}) > 1 else cases.pop()[1]
        if asked == _SCORE:
            for holds, text in reversed(cases):
                asked = asked if text == _SCORE else Call("torch.where", (holds, text, asked))
        lines = statement(asked, "return ", _INDENT)
        body = "    def score_mod(score, b, h, q_idx, kv_idx):\n"
        body += f"{_POSITIONS if ' i, j' in lines or 'j - i' in lines else ''}{lines}"
        return self._factory(
            "_score_mod_#", list(self.tables.values()), f"{body}\n\n    return score_mod"
        )

    def _holds(self, number: int | None, group: Group, each: Scored, printed: _Pairs) -> Text:
        """Is a pair in these branches of the group? Pairs in none are masked, whatever is said."""
        return _of_group(number, _any([printed[group.heads, x].allowed for x in each.branches]))

    def _scored(self, each: Scored, group: Group, printed: _Pairs) -> Text:
        """The score after all modifiers, `ln` of the multiplicity included."""
        text: Text = self._modified(each.modifiers) if each.modifiers else _SCORE
        if not each.counts:
            return text
        times = [
            Chain(PRODUCT, Leaf(str(x.multiplicity)), (("*", printed[group.heads, x].allowed),))
            for x in each.branches
        ]
        total = Chain(SUM, times[0], tuple(("+", x) for x in times[1:])) if times[1:] else times[0]
        return Call("_counted", (text, total))

    def _modified(self, modifiers: tuple[ScoreModifier, ...]) -> Text:
        lines, own = [], []
        for modifier in modifiers:
            named = []
            for table in tables_of(modifier):
                self.tables.setdefault(table, f"scores{len(self.tables)}")
                named.append(self.tables[table])
            own += named
            lines += lines_of(modifier, tuple(named))
        # Tables are numbered in the layer: a function has its own names for them.
        short = {name: f"t{k}" for k, name in enumerate(dict.fromkeys(own))}
        text = "\n".join([*lines, "    return score"])
        for name in sorted(short, key=len, reverse=True):
            text = text.replace(name, short[name])
        parameters = ["score", "b", "h", "q_idx", "kv_idx", "distance", *short.values()]
        function = self.functions.named("_score_#", f"{head_of(parameters, text)}\n{text}")
        pair = map(Leaf, ("score", "b", "h", "q_idx", "kv_idx", "j - i"))
        return Call(function, (*pair, *map(Leaf, short)))

    def _factory(self, kind: str, tables: list[str], body: str) -> str:
        parameters = ["first", "n", "group", *self.names, *tables]
        return self.functions.named(kind, f"{head_of(parameters, body)}\n{body}")


_SCORE = Leaf("score")
_POSITIONS = "        i, j = q_idx + first, kv_idx\n"


def _any(parts: list[Text]) -> Text:
    if len(parts) == 1:
        return parts[0]
    return Chain(OR, parts[0], tuple(("|", part) for part in parts[1:]))


def _of_group(number: int | None, text: Text) -> Text:
    """The condition for the heads of one group, None where there is only one."""
    if number is None:
        return text
    chosen = Chain(COMPARISON, Leaf("group[h]"), (("==", Leaf(str(number))),))
    return Chain(AND, chosen, (("&", text),))


def _predicate(functions: Functions, item: Pass, scalars: int) -> str:
    most = max([1, *(abs(number) for row in item.scalars for number in row)])
    reach = Reach(MOST_POSITIONS, MOST_POSITIONS, most)
    wide = not all(fits(value, INT32, reach) for value in operands(simplified(item.predicate)))
    return _text_of(functions, item.predicate, scalars, len(item.tables), wide)


def _text_of(functions: Functions, value: Condition, scalars: int, tables: int, wide: bool) -> str:
    """`_allowed_#(b, h, i, j, n, s0, .., table0, ..)`, in 64-bit integers if `wide`."""
    value = simplified(value)
    shared = aliases(value)
    widened = "    i, j, n = i.to(torch.int64), j.to(torch.int64), n.to(torch.int64)\n"
    body = (widened if wide else "") + assignments(shared, Printer(FLEX))
    body += statement(Printer(FLEX, aliases=shared).condition(value), "return ", 4)
    extra = [f"s{k}" for k in range(scalars)] + [f"table{k}" for k in range(tables)]
    return functions.named("_allowed_#", f"{head_of([*_PAIR, *extra], body)}\n{body}")


def _tiling(item: Pass, head: int, schedule: Schedule) -> Tiling:
    """The tiles of one head's branch. Tables stay slots: they are known at call time."""
    predicate = without_scalars(item.predicate, item.scalars[head])
    cases = split(predicate)
    formula = cases.pop((), FALSE)
    conjuncts = tuple(Conjunct(part, literals) for literals, part in cases.items())
    branch = Branch(predicate, formula, conjuncts, item.multiplicity)
    return tiling(branch, schedule.query_tile, schedule.key_tile, rows_beyond_n=True)


def _tiles(found: Tiling, functions: Functions, tables: int) -> Text:
    full, partial = (
        Leaf(functions.runs(runs, kind))
        for runs, kind in ((found.full, "_full_#"), (found.partial, "_partial_#"))
    )
    products = products_of(found, functions, tables, "_held_#")
    named = [Keyword("products", Items(products))] if products else []
    return Call("_Tiling", (full, partial, *named))
