"""The terms of a rule, for pictures: from a view to the share that each term holds of every cell.

A term is an operand of the outermost union, or an argument of `mix`, `gate`, `sum` and `mean`; the
header `causal` is applied to each. Does not draw.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.analysis.rules import Rule, operands
from patternc.frozen import frozen
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.ast import Binary, Lift, Name, Node
from patternc.relation.relation import relation
from patternc.report.svg import Shares
from patternc.report.view import View


@frozen
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
    return view.cells_of(relation(rule.meaning(cut)))
