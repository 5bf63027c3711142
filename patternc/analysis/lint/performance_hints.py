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
from functools import cache

from patternc.analysis.lint.connectivity_hints import disconnected
from patternc.analysis.lint.tile_hints import cheaper_widths, has_widths
from patternc.analysis.reach import reach
from patternc.analysis.rules import Rule, distinct, rules_of
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.language.syntax.messages import diagnostic
from patternc.relation.relation import Relation, relation
from patternc.semantics.lengths import fitting

# Tiles are weighed at this length at most, where every length fits.
MOST_WEIGHED = 1 << 16
# Reach of more positions than this, and of other orders, is not looked at.
MOST_TOKENS = 1 << 20
Tile = tuple[int, int]


def performance_hints(
    program: Elaborated, n: int, layers: int | None, tile: Callable[[], Tile]
) -> tuple[Diagnostic, ...]:
    """What `layers` layers (those of the program by default) teach at n tokens.

    `tile` gives (query rows, keys) of the kernels; it is called only where a width is weighed.
    """
    findings, tile = Findings(), cache(tile)
    schedule = [list(rules_of(program, layer)) for layer in range(program.layers or 1)]
    for rule in distinct(rule for heads in schedule for rule in heads):
        at = min(n, MOST_WEIGHED) if fitting(rule.pattern) is None else n
        if has_widths(rule):
            for found in cheaper_widths(rule, at, tile()):
                findings.add(found)
    stack = [tuple(relation(rule.pattern) for rule in heads) for heads in schedule]
    heard = [(*heads, *_of_streams(program, layer)) for layer, heads in enumerate(stack)]
    for found in (*disconnected(schedule, stack, n), *_order(schedule, heard, n, layers)):
        findings.add(found)
    return findings.warnings()


def _of_streams(program: Elaborated, layer: int) -> Iterator[Relation]:
    """The heads of the rows of streams that have rules."""
    for name in filter(program.has_rules, program.rows):
        yield from (relation(rule.pattern) for rule in rules_of(program, layer, name))


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
    yield diagnostic(
        "P211.layer_order", schedule[0][0].written.span, n=n, sooner=sooner, written=written
    )
