"""Trials: the pairs of a template with some values, and the layers that connect everything.

Maps values to exact numbers, each found once. Where the formulas of a program alone connect
everything in two layers and the first has too few pairs to do so, its draws need not be looked at.
Does not choose values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import cycle, islice

from patternc.algebra.isl_context import BudgetError
from patternc.algebra.work_budget import EffortError, effort, is_used_up
from patternc.analysis.explain.critical_path import slowest_pair
from patternc.analysis.reach import explored, reach
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import TOKENS, Stream
from patternc.language import Program, elaborate, parse
from patternc.relation.relation import Relation, relation
from patternc.relation.tables import HeadTables
from patternc.search.query import SearchQuery, Suggestion
from patternc.search.templates import filled
from patternc.semantics.lengths import verify
from patternc.tiling.count_pairs import pairs_with_multiplicity

Values = tuple[tuple[str, int], ...]
Heads = tuple[Relation, ...]


class TrialsError(Exception):
    """There are no trials left."""


@frozen
class _Counted:
    """Pairs of every layer's heads, layer by layer, and the keys of a row."""

    layers: tuple[tuple[int, ...], ...]
    keys: int

    @property
    def mean(self) -> Fraction:
        every = [count for heads in self.layers for count in heads]
        return Fraction(sum(every), len(every))


@dataclass(slots=True)
class Trials:
    """One template's programs; `tree` is its own, `text` and `name` say where it stands."""

    name: str
    text: str
    asked: SearchQuery
    tree: Program = field(init=False)
    looked: int = 0
    _counted: dict[Values, _Counted] = field(default_factory=dict)
    _full: dict[Values, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tree = parse(self.text, self.name)

    def pairs(self, values: Values) -> Fraction:
        """Of a head and layer, on average. Raises `PatternError` and `LengthError`."""
        if values not in self._counted:
            self._counted[values] = self._count(values)
        return self._counted[values].mean

    def full_at(self, values: Values) -> int | None:
        """After how many layers everything is connected; None is not within those asked for.

        Raises `TrialsError`.
        """
        if values not in self._full:
            if self.looked >= self.asked.trials:
                raise TrialsError
            self.looked += 1
            self._full[values] = self._reached(values)
        return self._full[values]

    def suggestion(self, values: Values) -> Suggestion:
        """What was tried, as an answer; it connects everything."""
        full_at, counted = self.full_at(values), self._counted[values]
        assert full_at is not None
        mean, text = counted.mean, filled(self.text, self.name, dict(values))
        density = float(mean / (self.asked.n * counted.keys))
        pair = self._slowest(values, full_at)
        return Suggestion(self.name, dict(values), text, -(-mean // 1), density, full_at, pair)

    def schedule(self, values: Values) -> list[Heads]:
        """The relations of the layers that the program has, at most those asked for."""
        program = elaborate(self.tree, dict(values))
        asked = [item.name for item in program.inputs if item.decides]
        if asked:
            raise ValueError(f"{self.name} has the input `{asked[0]}`, which decides pairs")
        found = []
        for layer in range(min(program.layers or 1, self.asked.layers)):
            heads = [program.resolve(layer, head) for head in range(program.heads or 1)]
            for pattern in dict.fromkeys(heads):
                verify(pattern, self.asked.n)
            relations = {pattern: relation(pattern) for pattern in dict.fromkeys(heads)}
            found.append(tuple(relations[pattern] for pattern in heads))
        return found

    def _stack(self, values: Values) -> list[Heads]:
        """The same with the heads of the rows of streams behind those of the tokens."""
        program = elaborate(self.tree, dict(values))
        streams = [name for name, rows in program.rows.items() if isinstance(rows, Stream)]
        return [
            (
                *heads,
                *(
                    relation(program.resolve(layer, head, name))
                    for name in streams
                    for head in range(program.heads or 1)
                ),
            )
            for layer, heads in enumerate(self.schedule(values))
        ]

    def _slowest(self, values: Values, layers: int) -> tuple[int, int] | None:
        own, tables = self._stack(values), self._tables()
        given = _each(own, tables)
        found = explored(own, self.asked.n, layers, given).latest
        try:
            return None if found is None else slowest_pair(own, given, found)
        except (UnknownError, BudgetError):
            return None

    def _count(self, values: Values) -> _Counted:
        tables, own = self._tables(), self.schedule(values)
        every = {head for heads in own for head in heads}
        with effort():
            counts = {head: pairs_with_multiplicity(head, tables) for head in every}
        layers = [tuple(counts[head] for head in heads) for heads in own]
        sources = {source for head in every for source in head.sources} or {TOKENS}
        keys = sum(tables.of(source).m for source in sources)
        return _Counted(tuple(islice(cycle(layers), self.asked.layers)), max(keys, 1))

    def _tables(self) -> HeadTables:
        return HeadTables(self.asked.n, {}, {"encoder": self.asked.n})

    def _reached(self, values: Values) -> int | None:
        asked, own = self.asked, self._stack(values)
        formulas = [tuple(map(_formulas_of, heads)) for heads in own]
        if formulas != own and self._two_at_least(values):
            found = reach(formulas, asked.n, min(asked.layers, 2))
            if found.full_at == 2:
                return 2
        answer = reach(own, asked.n, asked.layers, tables=_each(own, self._tables()))
        if not answer.full_exact and is_used_up():
            raise EffortError("this search computes more numbers than one may; ask for less")
        return answer.full_at

    def _two_at_least(self, values: Values) -> bool:
        """Whether the pairs of the first layer and its residual path are fewer than those past."""
        n, (first, *_) = self.asked.n, self._counted[values].layers
        return sum(first) + n < n * (n + 1) // 2


def _each(layers: Sequence[Heads], tables: HeadTables) -> list[list[HeadTables]]:
    return [[tables] * len(heads) for heads in layers]


def _formulas_of(head: Relation) -> Relation:
    """The relation without what tables hold."""
    branches = tuple(
        replace(branch, predicate=branch.formula, conjuncts=()) for branch in head.branches
    )
    return replace(head, branches=branches)
