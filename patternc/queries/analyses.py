"""What a pattern means for a model, asked by name: reach, structure, comparison and reasons.

Converts a program and a length to the facts of the `analysis` package. Each is imported when it is
asked for. Does not compute or format the results itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING

from patternc.algebra.work_budget import EffortError, allowance
from patternc.language.syntax.diagnostics import Diagnostic, ordered
from patternc.queries.arguments import (
    Input,
    layer_number,
    layers_looked_at,
    one_element,
    tokens,
    warning_codes,
    whole,
)
from patternc.queries.program import ProgramQueries
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.semantics.lengths import fitting

if TYPE_CHECKING:
    import networkx as nx

    from patternc.analysis.cost.layer_cost import Workload
    from patternc.analysis.equivalence.results import Difference, Side
    from patternc.analysis.explain.explain import Why
    from patternc.analysis.reach import Reach
    from patternc.analysis.reach.closed_form import ClosedFormReach
    from patternc.analysis.reach.unattended import Unattended
    from patternc.analysis.report_facts import ReportSubject

# Tokens, where none are given and no grid has some.
LENGTH = 4096
# Where the program names none: a path that takes more layers than this is not looked for.
LAYERS = 256


class Analyses(ProgramQueries):
    """Questions about information: where it comes from, through what, in how many layers."""

    def reach(
        self,
        n: int,
        layers: int | None = None,
        *,
        residual: bool = True,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> Reach:
        """The receptive fields of n positions, layer by layer.

        `layers` are the program's by default, 1 where it names none; more repeat its schedule.
        Run-time inputs that are not given make bounds, which say so.
        """
        from patternc.analysis.reach import reach

        n = tokens(n, 1)
        layers = layers_looked_at(layers, self.layers)
        schedule, tables = self._stack(n, layers, slots, inputs)
        given = tables if self._all_given(inputs) else None
        with allowance():
            return reach(schedule, n, layers, residual=residual, tables=given)

    def why(
        self,
        n: int,
        query: int,
        key: int,
        *,
        layer: int = 0,
        head: int | None = None,
        layers: int | None = None,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> Why:
        """Why `query` attends to `key` at n tokens, or does not, and how it depends on it at last.

        What each head of a layer says (all heads by default), and a shortest path through at most
        `layers` layers: the program's by default, 256 where it names none.
        """
        from patternc.analysis.explain.explain import why

        n, layer = tokens(n, 1), layer_number(layer, self.layers)
        query, key = (_position(name, at, n) for name, at in (("query", query), ("key", key)))
        heads = range(self.heads or 1) if head is None else [_head(head, self.heads)]
        most = layers_looked_at(layers, self.layers or LAYERS)
        schedule, tables = self._stack(n, max(most, layer + 1), slots, inputs)
        with allowance():
            return why(self._program, schedule, tables, n, query, key, layer, heads, most)

    def diff(
        self,
        other: Analyses,
        n: int | None = None,
        *,
        layers: int | None = None,
        slots: Mapping[str, int] | None = None,
    ) -> Difference:
        """Whether both mean the same for every n: a proof, or a smallest witness.

        Counts and reach stand side by side at n tokens (4096, or as many as a grid has) and after
        `layers` layers (the larger number that the two name, or 1).
        """
        if not isinstance(other, Analyses):
            kind = f"{type(other).__module__}.{type(other).__name__}".removeprefix("builtins.")
            raise TypeError(f"other is {kind}; expected a Pattern, for example Pattern.parse(text)")
        from patternc.analysis.equivalence.compare import compared
        from patternc.analysis.equivalence.results import Difference

        spans = [span for each in (self, other) for span in each._lengths_that_fit()]
        lengths = (max(low for low, _ in spans), min(high for _, high in spans)) if spans else None
        at = (LENGTH if lengths is None else lengths[1]) if n is None else tokens(n, 1)
        most = layers_looked_at(layers, max(self.layers or 1, other.layers or 1), 1)
        left, right = (
            [each.relations(layer) for layer in range(each.layers or 1)] for each in (self, other)
        )
        parts = compared(left, right, at, lengths)
        ours, theirs = (each._side(at, most, slots) for each in (self, other))
        return Difference(at, ours, theirs, parts)

    def check(
        self,
        n: int | None = None,
        *,
        ignore: Iterable[str] = (),
        teach: bool = False,
        layers: int | None = None,
    ) -> tuple[Diagnostic, ...]:
        """The warnings, and what the length n brings to light: empty rows, leaks, unseen keys.

        None is 4096 tokens, or as many as the pattern's grid has. `ignore` are codes of warnings
        that are meant, such as "P206". `teach` adds what could be better for the same cost, and
        what never meets within `layers` layers. Raises `LengthError`.
        """
        from patternc.analysis.lint.warnings import usual_length, warnings_at

        n = usual_length(self._program) if n is None else tokens(n)
        with allowance():
            found = ordered((*self.warnings, *warnings_at(self._program, n)))
            if teach:
                found = ordered((*found, *self._lessons(n, layers)))
        ignored = warning_codes(ignore)
        return tuple(warning for warning in found if warning.code not in ignored)

    def _lessons(self, n: int, layers: int | None) -> tuple[Diagnostic, ...]:
        from patternc.analysis.lint.performance_hints import performance_hints
        from patternc.schedule.tile_sizes import choose_tiles

        every = chain.from_iterable(self.relations(layer) for layer in range(self.layers or 1))
        return performance_hints(self._program, n, layers, choose_tiles(every, None, None).shape)

    def growth(self, layer: int = 0, *, residual: bool = True) -> ClosedFormReach | None:
        """The receptive field after k layers like this one, as a formula in i, j, k and n.

        None where none was found. Raises `ValueError` where tables or key sources decide.
        """
        from patternc.analysis.reach.closed_form import growth

        return growth(self.relations(layer), residual)

    def unmet(
        self,
        n: int,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> Unattended:
        """How many rows of each head have no key, and how many keys no head attends to."""
        from patternc.analysis.reach.unattended import unattended

        tables = self.head_tables(tokens(n, 1), layer, slots=slots, **inputs)
        return unattended(self.relations(layer), tables)

    def contributions(self, n: int, layers: int | None = None) -> tuple[int | None, ...]:
        """For each head, the pairs (i, j) that only the layers with it connect; None is unknown."""
        from patternc.analysis.reach import connected
        from patternc.analysis.reach.ablation import contributions

        layers = layers_looked_at(layers, self.layers, 1)
        schedule, _ = self._stack(tokens(n, 1), layers, None, {})
        return contributions(schedule, n, layers, None, connected(schedule, n, layers))

    def graph(
        self,
        n: int,
        block: int = 64,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> nx.DiGraph[int]:
        """The blocks of a layer as a networkx graph, edges from queries to keys.

        Edges have `pairs`, `density`, `ahead`, `heads` and `terms`: see
        `patternc.analysis.reach.block_graph`; `patternc.analysis.reach.graph_structure` says what
        the graph means. Needs networkx.
        """
        from patternc.analysis.reach.block_graph import graph

        n, layer, given = self._asked(tokens(n, 1), layer, inputs)
        one_element(given, self.inputs, "a graph")
        tables = self._tables(n, given, slots)
        return graph(self._program, layer if self.layers else 0, tables, whole("block", block, 1))

    def _side(self, n: int, layers: int, slots: Mapping[str, int] | None) -> Side:
        from patternc.analysis.equivalence.results import Side

        pairs = None
        if self._all_given({}):
            counts = (self.pairs(n, layer, slots=slots) for layer in range(self.layers or 1))
            with suppress(EffortError):
                pairs = tuple(map(tuple, counts))
        found = self.reach(n, layers, slots=slots)
        return Side(self.name, self.heads, self.layers, pairs, found)

    def _lengths_that_fit(self) -> list[tuple[int, int]]:
        """The lengths of every grid."""
        patterns = (
            self._resolved(layer, head)
            for layer in range(self.layers or 1)
            for head in range(self.heads or 1)
        )
        return [span for span in set(map(fitting, patterns)) if span is not None]

    def _stack(
        self,
        n: int,
        layers: int,
        slots: Mapping[str, int] | None,
        inputs: Mapping[str, Input],
    ) -> tuple[list[tuple[Relation, ...]], list[list[HeadTables]]]:
        """The relations and tables of the layers that a schedule of so many goes through.

        The heads of other rows appear behind those of the tokens.
        """
        count = range(max(1, min(self.layers or 1, layers)))
        given = [self._asked(n, layer, inputs)[2] for layer in count]
        for own in given:
            one_element(own, self.inputs, "a receptive field")
        tables = [self._tables(n, own, slots) for own in given]
        heads = [len(own) for own in tables]
        return [self.all_relations(*each) for each in zip(count, heads, strict=True)], tables

    def subject(
        self,
        work: Workload,
        layers: int,
        slots: Mapping[str, int],
        inputs: Mapping[str, Input],
    ) -> ReportSubject:
        """What a report computes on: so many layers, the program's own repeated.

        An encoder has n positions unless `slots` says otherwise.
        """
        from patternc.analysis.report_facts import ReportSubject
        from patternc.schedule.tile_sizes import choose_tiles

        stack, tables = self._stack(work.n, layers, {"encoder": work.n, **slots}, inputs)
        schedule = [layer % len(tables) for layer in range(layers)]
        heads = [len(own) for own in tables]
        relations = [every[:count] for every, count in zip(stack, heads, strict=True)]
        others = [
            tuple(tuple(islice(cycle(self.relations(layer, rows)), count)) for rows in self.rows)
            for layer, count in enumerate(heads)
        ]
        return ReportSubject(
            self._program,
            tuple(relations[layer] for layer in schedule),
            tuple(others[layer] for layer in schedule),
            self.layers or 1,
            tuple(tuple(tables[layer]) for layer in schedule),
            self._all_given(inputs),
            slots,
            tuple(self.fitting(layer) is not None for layer in schedule),
            choose_tiles(chain(*relations), work.dtype, work.head_dim).shape,
        )

    def _all_given(self, inputs: Mapping[str, Input]) -> bool:
        """Whether every input that decides about pairs is there."""
        from patternc.language.check.runtime_inputs import DECIDING

        return all(item.name in inputs for item in self.inputs if item.role in DECIDING)


def _position(name: str, value: object, n: int) -> int:
    position = whole(name, value)
    if position >= n:
        raise ValueError(f"{name} is {position}; positions count from 0 to {n - 1}")
    return position


def _head(head: object, heads: int | None) -> int:
    number = whole("head", head)
    if number >= (heads or number + 1):
        raise ValueError(f"head {number} is out of range; heads count from 0 to {(heads or 1) - 1}")
    return number if heads else 0
