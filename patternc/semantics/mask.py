"""The meaning of a term as a dense mask, straight from the table of relations: the specification.

Maps a `Term` (or the pattern of a head), a length and the run-time inputs to booleans (counts)
[queries, columns] in numpy. Every other package must agree with it. Written to be compared with the
manual line by line, so it shares nothing with the integer sets; cost is queries x columns. Not
optimized for speed, and without scores, so `with` and `projection=` have no effect here.

Run-time inputs are those of one head, in the units of the scope they appear in (blocks inside
`blocks`): lists integers [rows, k], sets booleans [n] or integer positions, labels integers [n].
On a key source they number its slots, 0 the oldest. A size of the call is an integer. `sizes` give
the slots known only at call time: `memory` and `compressed` (as declared by default; the missing
ones are the oldest) and `encoder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from patternc.algebra.evaluate import Booleans, Integers, Keys, interval
from patternc.ir.sources import TOKENS, Encoder, KeySource, Pool, Rows, Tokens, Tree, home_of
from patternc.ir.terms import (
    AvailableSpans,
    Blocks,
    Causal,
    Complement,
    Difference,
    EqualParts,
    Full,
    HeadPattern,
    Intersection,
    On,
    Part,
    PositionRange,
    Random,
    Term,
    Union,
    With,
)
from patternc.semantics.call_sizes import with_sizes
from patternc.semantics.key_sources import named_by, sources_of
from patternc.semantics.relations import EvaluationContext, Inputs, drawn, nothing, relation
from patternc.semantics.source_slots import keys_of, row_count, slots

Sizes = Mapping[str, int]


def mask(
    term: Term,
    n: int,
    queries: int | None = None,
    inputs: Inputs | None = None,
    source: KeySource = TOKENS,
    sizes: Sizes | None = None,
    asking: Rows = TOKENS,
    part: slice = slice(None),
) -> Booleans:
    """The pairs of `term` on the slots of `source`: booleans [queries, slots].

    Query row r appears at position r + n - queries. On an encoder that decides on its label alone,
    and everything else counts rows from 0. The `asking` rows of a stream or tree are all of theirs.
    `part` is a strip of the rows.
    """
    height = row_count(asking, n)
    count = height if queries is None else queries
    own = np.arange(*part.indices(count), dtype=np.int64) + height - count
    rows = own - (height - count if source == Encoder() else 0)
    keys = keys_of(source, slots(source, n, sizes or {}))
    home = home_of(asking)
    term = with_sizes(term, inputs or {})
    return pairs(
        term, EvaluationContext(rows, own, n, keys, inputs or {}, height, source, home, asking)
    )


def multiplicity(
    pattern: HeadPattern,
    n: int,
    queries: int | None = None,
    inputs: Inputs | None = None,
    sizes: Sizes | None = None,
    sources: Sequence[KeySource] | None = None,
    part: slice = slice(None),
) -> Integers:
    """How often each pair counts: integers [queries, columns], the columns of `columns`.

    Separate softmaxes of a combination add up. `sources` are those of the columns, where they are
    more than the pattern's own. `part` is a strip of the rows.
    """
    among = sources_of(pattern) if sources is None else sources
    widths = [slots(source, n, sizes or {}) for source in among]
    height = row_count(pattern.rows, n) if queries is None else queries
    counts = np.zeros((len(range(*part.indices(height))), sum(widths)), np.int64)
    for branch in pattern.sets:
        held = (mask(branch, n, queries, inputs, at, sizes, pattern.rows, part) for at in among)
        counts += np.hstack(list(held))
    return counts


def columns(
    pattern: HeadPattern, n: int, sizes: Sizes | None = None
) -> tuple[tuple[KeySource, int], ...]:
    """The key sources in the order of their first occurrence, each with its number of slots."""
    return tuple((source, slots(source, n, sizes or {})) for source in sources_of(pattern))


def pairs(term: Term, scope: EvaluationContext) -> Booleans:
    """Booleans [rows, keys] in the units of the scope."""
    match term:
        case On(inner, source):
            return pairs(inner, replace(scope, stands_on=source))
        case With(inner):
            return pairs(inner, scope)
        case Union(terms):
            return reduce(np.logical_or, (pairs(part, scope) for part in terms), nothing(scope))
        case Intersection(terms):
            return intersection(terms, scope)
        case Difference(left, right):
            return pairs(left, scope) & ~pairs(right, scope)
        case Complement(inner):
            within = scope.source in named_by(inner, scope.stands_on)
            return ~pairs(inner, scope) if within else nothing(scope)
        case _ if scope.source != scope.stands_on:
            return nothing(scope)
        case Blocks(size, body):
            return blocks(size, body, scope)
        case EqualParts(count, body):
            return parts(count, body, scope)
        case Part(positions, body):
            return part_of(positions, body, scope)
        case Random():
            return drawn(term, pairs(term.avoid, scope) | passed_over(term, scope), scope)
        case _:
            return np.broadcast_to(relation(term, scope), scope.shape)


def passed_over(random: Random, scope: EvaluationContext) -> Booleans:
    """Under the header `causal` a draw does not spend itself on what is not available."""
    return ~available(scope) if random.past_only else nothing(scope)


def intersection(terms: tuple[Term, ...], scope: EvaluationContext) -> Booleans:
    """`causal` as an operand of `&` means "available to the query" on every source."""
    rest = [part for part in terms if part != Causal()] or [Full()]
    held = reduce(np.logical_and, (pairs(part, scope) for part in rest))
    return held & available(scope) if Causal() in terms else held


def available(scope: EvaluationContext) -> Booleans:
    match scope.source:
        case Tokens():
            return np.asarray(scope.j <= scope.i)
        case Pool() as pool:
            return np.asarray(np.array(window_ends(pool, scope.n))[None, :] <= scope.i + 1)
        case Tree(branching):
            return relation(AvailableSpans(branching), scope)
        case _:
            return ~nothing(scope)


def window_ends(pool: Pool, n: int) -> list[int]:
    """Where the window of each slot ends: the position after its last token."""
    ends: list[int] = []
    for start in range(0, n, pool.stride):
        if start + pool.size <= n:
            ends.append(start + pool.size)
        elif pool.tail == "clip" and (not ends or ends[-1] < n):
            ends.append(n)
    if pool.tail == "merge" and ends:
        ends[-1] = n
    return ends


def blocks(size: int, body: Term, scope: EvaluationContext) -> Booleans:
    """A short first or last block counts."""
    known = scope.keys
    keys = Keys(known.first // size, -(-known.stop // size), -(-known.count // size))
    rows, columns = scope.rows // size, scope.j[0] // size
    blocks = replace(
        scope, n=-(-scope.n // size), query_count=-(-scope.query_count // size), keys=keys
    )
    return lifted(body, blocks, rows, scope.own // size, columns)


def parts(count: int, body: Term, scope: EvaluationContext) -> Booleans:
    """Parts of the tokens; nothing is said of rows more than n before them."""
    length = max(scope.n, 1)
    rows, columns = count * scope.rows // length, count * scope.j[0] // length
    whole = replace(scope, n=count, query_count=count, keys=Keys(0, count, count))
    return lifted(body, whole, rows, rows, columns) & (scope.i >= -scope.n)


def part_of(positions: PositionRange, body: Term, scope: EvaluationContext) -> Booleans:
    """`body` on the rows and keys of a range, as if they were all; nothing on others."""
    start, stop = interval(positions, scope.n, Keys(0, scope.n, scope.n))
    held = nothing(scope)
    rows = np.flatnonzero((scope.rows >= start) & (scope.rows < stop))
    keys = np.flatnonzero((scope.j[0] >= start) & (scope.j[0] < stop))
    if not len(rows) or not len(keys):
        return held
    count, own = stop - start, scope.rows[rows] - start
    among = Keys(0, count, count)
    inner = replace(scope, rows=own, own=own, n=count, query_count=count, keys=among)
    held[np.ix_(rows, keys)] = pairs(body, inner)[:, scope.j[0, keys] - start]
    return held


def lifted(
    body: Term, scope: EvaluationContext, rows: Integers, own: Integers, columns: Integers
) -> Booleans:
    """`body` on the coarser positions, spread over the rows and keys that they stand for."""
    coarse, place = np.unique(np.stack([rows, own]), axis=1, return_inverse=True)
    inner = pairs(body, replace(scope, rows=coarse[0], own=coarse[1]))
    return inner[place.ravel()][:, columns - scope.keys.first]
