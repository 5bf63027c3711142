"""Windows and segments that could hold more pairs for as many products: P209 and P212.

Products are those of the tiles that the schedule lists at one length and tile size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from patternc.algebra.queries import comparisons
from patternc.analysis.lint.causality import replaced
from patternc.analysis.rules import Rule, joined
from patternc.frozen import frozen
from patternc.ir.formula import Constant
from patternc.ir.sources import TOKENS
from patternc.ir.terms import (
    HeadPattern,
    Local,
    Segment,
    Term,
)
from patternc.language.syntax.ast import Call
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.schedule.decompose import issued
from patternc.tiling.count_pairs import pairs_with_multiplicity

# A change that holds fewer more pairs than this is not worth a word.
WORTHWHILE = 1.1
# A trial of more comparisons can take seconds; published patterns have a dozen at most.
MOST_COMPARISONS = 24
WIDE = ("local", "segment")
Tile = tuple[int, int]


@frozen
class _Cost:
    """Products that the tiles of a pattern take, and its pairs."""

    products: int
    pairs: int

    @property
    def masked(self) -> float:
        """The share of products that no pair needs."""
        return 1 - self.pairs / self.products


def has_widths(rule: Rule) -> bool:
    """Whether the rule has windows or segments that could be weighed."""
    return any(rule.calls(*WIDE))


def cheaper_widths(rule: Rule, n: int, tile: Tile) -> Iterator[Diagnostic]:
    """Windows and segments that could hold more for as many products."""
    for call in rule.calls(*WIDE):
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
    return diagnostic(
        "P209.unaligned_window" if isinstance(other, Local) else "P212.unaligned_segment",
        call.span,
        place=joined(f"at n = {n}", rule.where),
        query_tile=tile[0],
        key_tile=tile[1],
        masked=now.masked,
        written=_written(other, call),
        fewer=less / now.products,
        pairs=after.pairs,
        pairs_now=now.pairs,
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
