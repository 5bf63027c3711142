"""Reachability: which input positions each output position can depend on, layer by layer.

Maps the relations of a schedule and a length to receptive fields. R_0 is the identity, and R_l =
(A_l + I) R_(l-1) as Boolean products, where A_l unites the heads of layer l: order matters, and
without the residual path I is left out. Key sources count as `edges` says.

Formulas are composed as integer sets at any length; random keys are known exactly; run-time inputs
that are not given make bounds. Ignores attention weights, and positions of other sequences.
"""

from __future__ import annotations

from collections.abc import Sequence

from patternc.analysis.reach.causal import is_causal
from patternc.analysis.reach.dispatch import ReachAnswer, answers, last_answer
from patternc.analysis.reach.edges import edges_of, shortest_period
from patternc.analysis.reach.query import ReachQuery
from patternc.analysis.reach.results import Engine, LayerReach, Reach
from patternc.analysis.reach.slowest_pairs import Latest, Place, lacking, latest
from patternc.frozen import frozen
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables

__all__ = [
    "Engine",
    "Explored",
    "Latest",
    "LayerReach",
    "Place",
    "Reach",
    "connected",
    "explored",
    "reach",
]


def reach(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    *,
    residual: bool = True,
    tables: Sequence[Sequence[HeadTables]] | None = None,
) -> Reach:
    """The receptive fields of n positions after 1, 2, .., `layers` layers.

    `relations[layer][head]` are repeated in order where `layers` exceeds them; those of the rows of
    streams appear behind those of the tokens, and a stream without any depends on all tokens. The
    field of a position is itself before the first layer; a layer gives it what its keys held before
    that layer and, with `residual`, leaves it what it held. `tables[layer][head]` answer for
    run-time inputs; without them layers that ask for inputs get bounds. Raises `ValueError`.
    """
    question, causal = _asked(relations, n, layers, residual, tables)
    return _facts(answers(question, causal), question, causal)


@frozen
class Explored:
    """`reach` with the residual path, where it takes longest, and where a key is lacking at last.

    None: there is no such place, or it is not known.
    """

    reach: Reach
    latest: Latest | None
    lacking: Place | None


def explored(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    tables: Sequence[Sequence[HeadTables]] | None = None,
) -> Explored:
    """`reach` and its places. Raises `ValueError`."""
    question, causal = _asked(relations, n, layers, True, tables)
    found = answers(question, causal)
    places = latest(found, n, causal), lacking(found, n, causal)
    return Explored(_facts(found, question, causal), *places)


def connected(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    tables: Sequence[Sequence[HeadTables]] | None = None,
) -> int | None:
    """The pairs that `layers` layers connect with the residual path; None is not known."""
    question, causal = _asked(relations, n, layers, True, tables)
    last = last_answer(question, causal)
    return last.field.sizes.total if last.exact else None


def _asked(
    relations: Sequence[Sequence[Relation]],
    n: int,
    layers: int,
    residual: bool,
    tables: Sequence[Sequence[HeadTables]] | None,
) -> tuple[ReachQuery, bool]:
    """The question, and whether nothing in it is non-causal."""
    if n < 1 or layers < 0 or not relations:
        raise ValueError("reach takes a length of at least 1, some relations, and layers from 0")
    steps = shortest_period([edges_of(heads) for heads in relations[: max(layers, 1)]])
    question = ReachQuery(tuple(steps), n, layers, residual, tables)
    return question, is_causal(question)


def _facts(found: list[ReachAnswer], question: ReachQuery, causal: bool) -> Reach:
    permitted = question.n * (question.n + 1) // 2 if causal else question.n**2
    totals = [answer.field.sizes.total for answer in found]
    full = [
        answer.exact and total == permitted for answer, total in zip(found, totals, strict=True)
    ]
    # A bound below all pairs tells as much: the layer is not full.
    open_to_doubt = [
        not a.exact and total == permitted for a, total in zip(found, totals, strict=True)
    ]
    full_at = full.index(True) + 1 if any(full) else None
    return Reach(
        layers=tuple(map(_told, found)),
        full_at=full_at,
        full_exact=not any(open_to_doubt[:full_at]),
        causal=causal,
        n=question.n,
        residual=question.residual,
        connected=tuple(
            total if answer.exact else None for answer, total in zip(found, totals, strict=True)
        ),
        engines=tuple(answer.engine for answer in found),
    )


def _told(answer: ReachAnswer) -> LayerReach:
    field, sizes = answer.field, answer.field.sizes
    return LayerReach(
        sizes.least,
        sizes.median,
        sizes.greatest,
        field.left,
        field.right,
        field.holes,
        answer.exact,
    )
