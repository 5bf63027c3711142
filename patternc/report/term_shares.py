"""The terms of a rule, for pictures: from a view to the share that each term holds of every cell.

A term is an operand of the outermost union, or an argument of `mix`, `gate`, `sum` and `mean`; the
header `causal` is applied to each. Does not draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from patternc.analysis.rules import Rule, operands
from patternc.ir.sources import KeySource
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.ast import Binary, Lift, Name, Node
from patternc.relation.relation import Relation, relation
from patternc.relation.tables import HeadTables
from patternc.report.subject import TILE, Array, Subject
from patternc.report.svg import Mask, Shares
from patternc.report.view import View
from patternc.tiling.layout_at_length import Layout


@dataclass(frozen=True, slots=True)
class TermShare:
    """A term as it is written, and its share of every cell."""

    text: str
    shares: Shares


def term_shares(view: View, program: Elaborated, head: int) -> tuple[TermShare, ...]:
    """The terms of one head's rule in the order of the text; cells are those of the view."""
    at = view.layer % (program.layers or 1)
    written, place = program.written(at, head)
    rule = Rule(written, place, program.resolve(at, head), program.causal)
    text = program.program.source.text
    return tuple(
        TermShare(
            " ".join(text[part.span.start : part.span.stop].split()), _cells(view, rule, part)
        )
        for term in operands(written, place)
        for part in _below(term, rule)
    )


def _below(part: Node, rule: Rule) -> Iterator[Node]:
    """The operands of a union that is lifted to blocks, each lifted alone."""
    match part:
        case Lift(call, body):
            for inner in operands(body, rule.place):
                yield Lift(call, inner, inner.span)
        case _:
            yield part


def _cells(view: View, rule: Rule, part: Node) -> Shares:
    cut = Binary("&", part, Name("causal")) if rule.causal else part
    subject = _Alone(view.subject, relation(rule.meaning(cut)))
    return replace(view, subject=subject, heads=(0,)).cells(0)


@dataclass(frozen=True, slots=True)
class _Alone:
    """One term in place of every rule, on the columns of the whole pattern."""

    whole: Subject
    relation: Relation
    heads: int | None = None

    @property
    def layers(self) -> int | None:
        return self.whole.layers

    @property
    def inputs(self) -> tuple[RunTimeInput, ...]:
        return self.whole.inputs

    def mask(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> Mask:
        return np.zeros((1, n, n), np.bool_)

    def columns(
        self, n: int, layer: int = 0, *, rows: str = "", slots: Mapping[str, int] | None = None
    ) -> tuple[tuple[KeySource, int], ...]:
        return self.whole.columns(n, layer, rows=rows, slots=slots)

    def relations(self, layer: int = 0, rows: str = "") -> tuple[Relation, ...]:
        return (self.relation,)

    def pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> list[int]:
        return self.whole.pairs(n, layer, rows=rows, slots=slots, **inputs)

    def distinct_pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> list[int]:
        return self.whole.distinct_pairs(n, layer, rows=rows, slots=slots, **inputs)

    def layout(
        self,
        n: int,
        block: int = TILE,
        layer: int = 0,
        *,
        rows: str = "",
        slots: Mapping[str, int] | None = None,
        **inputs: Array,
    ) -> Layout:
        return Layout([self.relation], n, block, block, [HeadTables(n, inputs, slots)])
