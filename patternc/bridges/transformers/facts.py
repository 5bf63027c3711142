"""What a bridge must know of a layer's pairs: how far back they go, and whether positions count.

Reads relations; run-time parts are taken as if they held everything. Does not know any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import islpy as isl

from patternc.algebra import isl_maps
from patternc.algebra.isl_context import context
from patternc.algebra.isl_sets import text_of
from patternc.algebra.queries import variables_of
from patternc.ir.formula import Condition
from patternc.ir.modifiers import Modifier, Scale
from patternc.modifiers.softcap import SoftCap
from patternc.relation.relation import Relation


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """`farthest_back` is the greatest i - j of any pair, None where it grows with n.

    `by_distance`: whether only i - j decides, so that positions may count from anywhere. `softcaps`
    are those of its terms, None for a term without.
    """

    is_causal: bool
    farthest_back: int | None
    by_distance: bool
    softcaps: tuple[float | None, ...]
    has_scale: bool


def facts_of(relations: Iterable[Relation]) -> LayerFacts:
    """The facts of the heads of one layer."""
    every = tuple(map(_of_head, relations))
    return LayerFacts(
        is_causal=all(known.is_causal for known in every),
        farthest_back=_greatest(known.farthest_back for known in every),
        by_distance=all(known.by_distance for known in every),
        softcaps=tuple(dict.fromkeys(cap for known in every for cap in known.softcaps)),
        has_scale=any(known.has_scale for known in every),
    )


@lru_cache(maxsize=1024)
def _of_head(relation: Relation) -> LayerFacts:
    spans = [span for formula in _formulas(relation) if (span := _distances(formula)) is not None]
    modifiers = [branch.modifiers for branch in relation.branches]
    return LayerFacts(
        is_causal=all(ahead is not None and ahead <= 0 for _, ahead in spans),
        farthest_back=_greatest(back for back, _ in spans),
        by_distance=_is_by_distance(relation),
        softcaps=tuple(map(_softcap, modifiers)),
        has_scale=any(isinstance(each, Scale) for own in modifiers for each in own),
    )


def _greatest(backs: Iterable[int | None]) -> int | None:
    """The greatest of them; None where one is unbounded."""
    every = tuple(backs)
    known = [each for each in every if each is not None]
    return max(known, default=0) if len(known) == len(every) else None


def _softcap(modifiers: tuple[Modifier, ...]) -> float | None:
    return next((each.cap for each in modifiers if isinstance(each, SoftCap)), None)


def _formulas(relation: Relation) -> Iterator[Condition]:
    for branch in relation.branches:
        yield branch.formula
        yield from (conjunct.formula for conjunct in branch.conjuncts)


def _distances(formula: Condition) -> tuple[int | None, int | None] | None:
    """The greatest i - j and j - i over all n, None where unbounded; None without a pair."""
    pairs = isl_maps.symbolic(formula).project_out_all_params()
    if pairs.is_empty():
        return None
    ahead = pairs.deltas()
    least, greatest = ahead.dim_min_val(0), ahead.dim_max_val(0)
    return _finite(least.neg()), _finite(greatest)


def _finite(value: isl.Val) -> int | None:
    return int(value.to_python()) if value.is_int() else None


def _is_by_distance(relation: Relation) -> bool:
    branches = relation.branches
    return all(not branch.conjuncts and _moves(branch.formula) for branch in branches)


def _moves(formula: Condition) -> bool:
    """Whether the pairs stay the same where both positions move by one."""
    if variables_of(formula) & {"n", "m"}:
        return False
    pairs = isl.Map(f"{{ [i] -> [j] : {text_of(formula)} }}", context())
    step = isl.Map("{ [i] -> [i + 1] }", context())
    return bool(pairs.apply_domain(step).apply_range(step).is_equal(pairs))
