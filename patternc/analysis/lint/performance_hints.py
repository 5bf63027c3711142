"""Warnings that teach: what a program could do better for the same cost, or never does.

Maps an elaborated program, a length and the tiles of its kernels to diagnostics. They belong to
`check --teach` and `report`; compiling says nothing of them.

- P209: a `local` that could be wider for as many products as its tiles take now.
- P210: classes or segments of positions that no pair of any layer leaves: reach never fills.
- P211: layers that connect every pair earlier in the opposite order.
- P212: a `segment` whose width wastes the end of a tile; a multiple of it takes no more products.

Products are those of the tiles that the schedule lists, reach is exact; where tables or inputs
decide, or an answer takes more than its budget, nothing is said. Does not predict the quality of a
model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd, lcm

from patternc.algebra import simplify
from patternc.algebra.isl_sets import BudgetError, budget, implies
from patternc.algebra.queries import comparisons
from patternc.analysis.lint.causality import replaced
from patternc.analysis.reach import reach
from patternc.analysis.rules import Rule, distinct, joined, rules_of
from patternc.ir.formula import Condition, Constant, Variable
from patternc.ir.sources import TOKENS
from patternc.ir.terms import (
    Difference,
    DilatedSegment,
    HeadPattern,
    Intersection,
    Local,
    Segment,
    Strided,
    Term,
    Union,
    With,
)
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.ast import Call
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.relation.relation import Relation, relation
from patternc.relation.tables import HeadTables
from patternc.schedule.decompose import issued
from patternc.semantics.lengths import fitting
from patternc.tiling.count_pairs import pairs_with_multiplicity

# A change that holds fewer more pairs than this is not worth a word.
WORTHWHILE = 1.1
# Tiles are weighed at this length at most, where every length fits.
MOST_WEIGHED = 1 << 16
# A trial of more comparisons can take seconds; published patterns have a dozen at most.
MOST_COMPARISONS = 24
# Reach of more positions than this, and of other orders, is not looked at.
MOST_TOKENS = 1 << 20
Tile = tuple[int, int]


def performance_hints(
    program: Elaborated, n: int, layers: int | None, tile: Tile
) -> tuple[Diagnostic, ...]:
    """What `layers` layers (those of the program by default) teach at n tokens.

    `tile` is (query rows, keys) of the kernels.
    """
    findings = Findings()
    schedule = [list(rules_of(program, layer)) for layer in range(program.layers or 1)]
    for rule in distinct(rule for heads in schedule for rule in heads):
        at = min(n, MOST_WEIGHED) if fitting(rule.pattern) is None else n
        for found in _cheaper(rule, at, tile):
            findings.add(found)
    stack = [tuple(relation(rule.pattern) for rule in heads) for heads in schedule]
    heard = [(*heads, *_of_streams(program, layer)) for layer, heads in enumerate(stack)]
    for found in (*_apart(schedule, stack, n), *_order(schedule, heard, n, layers)):
        findings.add(found)
    return findings.warnings()


def _of_streams(program: Elaborated, layer: int) -> Iterator[Relation]:
    """The heads of the rows of streams that have rules."""
    for name in filter(program.has_rules, program.rows):
        yield from (relation(rule.pattern) for rule in rules_of(program, layer, name))


# --- tiles ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cost:
    """Products that the tiles of a pattern take, and its pairs."""

    products: int
    pairs: int

    @property
    def masked(self) -> float:
        """The share of products that no pair needs."""
        return 1 - self.pairs / self.products


def _cheaper(rule: Rule, n: int, tile: Tile) -> Iterator[Diagnostic]:
    """Windows and segments that could hold more for as many products."""
    for call in rule.calls("local", "segment"):
        (term,) = rule.meaning(call).branches
        other = _other(term, call, rule, n, tile)
        if other is None or (both := _costs(rule, term, other, n, tile)) is None:
            continue
        now, after = both
        if after.products <= now.products and after.pairs >= WORTHWHILE * now.pairs:
            yield _told(call, other, now, after, rule, n, tile)


def _costs(rule: Rule, term: Term, other: Term, n: int, tile: Tile) -> tuple[_Cost, _Cost] | None:
    """Of the pattern as it is, and with another term."""
    now = _cost(rule.pattern, n, tile)
    after = now and _cost(replaced(rule.pattern, term, other), n, tile)
    return (now, after) if now and after else None


@lru_cache(maxsize=4096)
def _cost(pattern: HeadPattern, n: int, tile: Tile) -> _Cost | None:
    """None where tables or other sources decide, or more than trials are worth."""
    meaning = relation(pattern)
    if meaning.sources != (TOKENS,) or any(branch.conjuncts for branch in meaning.branches):
        return None
    if sum(comparisons(branch.formula) for branch in meaning.branches) > MOST_COMPARISONS:
        return None
    tiles = sum(issued(branch, *tile, n) for branch in meaning.branches)
    products = tiles * tile[0] * tile[1]
    return _Cost(products, pairs_with_multiplicity(meaning, HeadTables(n))) if tiles else None


def _other(term: Term, call: Call, rule: Rule, n: int, tile: Tile) -> Local | Segment | None:
    """The widest window at this cost, or the segment that fills its tiles."""
    match term:
        case Local(Constant(left), Constant(right)) if max(left, right) < n:
            sides = _growing(call, left, right)

            def widened(by: int) -> Local:
                wide = [side + by * grows for side, grows in zip((left, right), sides, strict=True)]
                return replace(term, left=Constant(wide[0]), right=Constant(wide[1]))

            by = _last(lambda by: _costs_more(rule, term, widened(by), n, tile), sum(tile))
            return widened(by) if by else None
        case Segment(width, 0, 0) if width % tile[0] and width < n:
            return replace(term, width=-(-width // tile[0]) * tile[0])
        case _:
            return None


def _growing(call: Call, left: int, right: int) -> tuple[bool, bool]:
    """One number stands for both sides; of named ones those grow that look anywhere."""
    if any(argument.name is None for argument in call.arguments):
        return True, True
    return left > 0, right > 0


def _costs_more(rule: Rule, term: Term, other: Term, n: int, tile: Tile) -> bool:
    both = _costs(rule, term, other, n, tile)
    return both is None or both[1].products > both[0].products


def _last(over: Callable[[int], bool], stop: int) -> int:
    """The largest number below `stop` before `over` becomes true."""
    low, high = 0, stop
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if over(middle) else (middle, high)
    return low


def _told(
    call: Call, other: Local | Segment, now: _Cost, after: _Cost, rule: Rule, n: int, tile: Tile
) -> Diagnostic:
    less = now.products - after.products
    price = f"needs {less / now.products:.0%} fewer products" if less else "costs the same"
    tiles = f"in tiles of {tile[0]} x {tile[1]}, {now.masked:.0%} of the products are masked"
    window = isinstance(other, Local)
    return Diagnostic(
        "P209" if window else "P212",
        "window is poorly aligned to tiles"
        if window
        else "segment width is not a multiple of the tile size",
        call.span,
        joined(f"at n = {n}", rule.where),
        note=f"{tiles}: kernels compute and discard them",
        help=f"`{_written(other, call)}` {price} and contains {after.pairs:,} pairs, not "
        f"{now.pairs:,}",
        severity="warning",
    )


def _written(term: Local | Segment, call: Call) -> str:
    match term:
        case Segment(width):
            return f"segment({width})"
        case Local(Constant(left), Constant(right), dilation):
            both = any(argument.name is None for argument in call.arguments)
            sides = {"left": left, "right": right}
            named = {item.name for item in call.arguments}
            words = [f"{name}={side}" for name, side in sides.items() if name in named]
            parts = [str(left)] if both else words
            return f"local({', '.join(parts + ([f'dilation={dilation}'] * (dilation > 1)))})"
        case _:
            raise TypeError(f"{term} is not told")


# --- positions that never meet --------------------------------------------------------------


def _apart(
    schedule: Sequence[Sequence[Rule]], stack: Sequence[Sequence[Relation]], n: int
) -> Iterator[Diagnostic]:
    """Residues or segments that no pair of any layer leaves."""
    every = dict.fromkeys(relation for heads in stack for relation in heads)
    if any(relation.sources != (TOKENS,) for relation in every):
        return
    formulas = {formula for relation in every for formula in _formulas(relation)}
    rules = distinct(rule for heads in schedule for rule in heads)
    terms = [term for rule in rules for own in rule.pattern.sets for term in _within(own)]
    spacings, widths = map(_spacing, terms), map(_width, terms)
    first = schedule[0][0].written.span
    stride, width = gcd(*spacings), lcm(*filter(None, widths))
    if 1 < stride < n and _all_imply(formulas, _same_residue(stride)):
        yield Diagnostic(
            "P210",
            f"positions split into {stride} residue classes that are never connected",
            first,
            "in every layer and head",
            note=f"every pair has i = j mod {stride}, so no number of layers connects the others",
            help="use one layer or head without dilation, or add a window: `+ local(1)`",
            severity="warning",
        )
    elif 1 < width < n and _all_imply(formulas, _same_segment(width)):
        yield Diagnostic(
            "P210",
            f"positions split into segments of {width} that are never connected",
            first,
            "in every layer and head",
            note="no pair leaves its segment, so no number of layers connects different segments",
            help="overlap the segments, `segment(w, back=1)`, or shift those of another layer",
            severity="warning",
        )


def _within(term: Term) -> Iterator[Term]:
    """The relations on single positions that a term is made of."""
    match term:
        case Union(terms) | Intersection(terms):
            yield from (inner for part in terms for inner in _within(part))
        case Difference(left, _):
            yield from _within(left)
        case With(inner):
            yield from _within(inner)
        case _:
            yield term


def _formulas(relation: Relation) -> Iterator[Condition]:
    """What every part lies within."""
    for branch in relation.branches:
        yield branch.formula
        yield from (conjunct.formula for conjunct in branch.conjuncts)


def _spacing(term: Term) -> int:
    match term:
        case Local(dilation=dilation) | DilatedSegment(dilation=dilation):
            return dilation
        case Strided(stride):
            return stride
        case _:
            return 0


def _width(term: Term) -> int:
    match term:
        case Segment(width, 0, 0) | DilatedSegment(width):
            return width
        case _:
            return 0


def _same_residue(stride: int) -> Condition:
    apart = simplify.subtract(Variable("i"), Variable("j"))
    return simplify.compare(simplify.modulo(apart, Constant(stride)), "==", Constant(0))


def _same_segment(width: int) -> Condition:
    places = (simplify.floor_divide(Variable(side), Constant(width)) for side in ("i", "j"))
    return simplify.compare(next(places), "==", next(places))


def _all_imply(formulas: set[Condition], other: Condition) -> bool:
    try:
        with budget():
            return all(implies(formula, other) for formula in formulas)
    except BudgetError:
        return False


# --- the order of layers --------------------------------------------------------------------


def _order(
    schedule: Sequence[Sequence[Rule]],
    stack: Sequence[Sequence[Relation]],
    n: int,
    layers: int | None,
) -> Iterator[Diagnostic]:
    """Whether the opposite order fills earlier; of formulas only."""
    every = {relation for heads in stack for relation in heads}
    tables = any(branch.conjuncts for relation in every for branch in relation.branches)
    if len(set(stack)) < 2 or tables or n > MOST_TOKENS:
        return
    count = layers or len(stack)
    now = reach(stack, n, count)
    after = reach(stack[::-1], n, (now.full_at or count + 1) - 1)
    if after.full_at is None:
        return
    never = f"not within {count} layers" if now.full_exact else "not known"
    written = f"after {now.full_at}" if now.full_at else never
    sooner = f"after {after.full_at} layers"
    yield Diagnostic(
        "P211",
        "reordering layers would connect every pair sooner",
        schedule[0][0].written.span,
        f"at n = {n}: {sooner} in reverse order, {written} as written",
        note="later layers propagate what earlier layers have gathered",
        help=f"reverse the layers: every pair is then connected {sooner}",
        severity="warning",
    )
