"""Terms: the pattern of one (layer, head), with every name resolved and every number known.

Built by elaboration and lowered by `relation`. What is still open is n and the run-time inputs. The
meaning of every node is the table of relations in `grammar/README.md`; positions count tokens, or
blocks inside a `Blocks` or `EqualParts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from patternc.frozen import frozen
from patternc.ir.formula import Condition, Expression
from patternc.ir.modifiers import Modifier
from patternc.ir.position_sets import Listing as Listing
from patternc.ir.position_sets import Period as Period
from patternc.ir.position_sets import PositionRange as PositionRange
from patternc.ir.position_sets import Positions as Positions
from patternc.ir.position_sets import RunTimeSet as RunTimeSet
from patternc.ir.searches import Search
from patternc.ir.sources import TOKENS, KeySource, Stream, Tree
from patternc.ir.sources import Rows as RowsOf


@frozen
class Full:
    """Every pair; in particular rows at negative positions."""


@frozen
class Empty:
    """No pair."""


@frozen
class Diagonal:
    """j = i."""


@frozen
class Causal:
    """j <= i."""


@frozen
class Local:
    """-left*dilation <= j - i <= right*dilation, and dilation divides j - i.

    Sides are expressions in n. Sides that exclude each other (left + right < 0) hold nothing.
    """

    left: Expression
    right: Expression
    dilation: int = 1


@frozen
class Strided:
    """`stride` divides i - j."""

    stride: int


@frozen
class Segment:
    """-back <= j // width - i // width <= ahead."""

    width: int
    back: int = 0
    ahead: int = 0


@frozen
class DilatedSegment:
    """i // w = j // w, and (i mod w) mod r = (j mod w) mod r = offset mod r (LongNet)."""

    width: int
    dilation: int
    offset: int


@frozen
class Columns:
    """j in the set, for every query row (rows at negative positions included)."""

    positions: Positions


@frozen
class Rows:
    """i in the set; holds nothing at i < 0.

    With a `projection` every pair of these rows, in any term, uses q, k, v of that projection.
    """

    positions: Positions
    projection: str | None = None


@frozen
class Global:
    """i >= 0, and i in the set or j in the set; `projection` as in `Rows`."""

    positions: Positions
    projection: str | None = None


@frozen
class Permutation:
    """j = table[i] for 0 <= i < len(table), both inside 0..n-1."""

    table: tuple[int, ...]


@frozen
class Random:
    """j is one of `count` draws without replacement from the pool minus `avoid`'s keys of row i.

    The key of the permutation is (seed, layer, head, row). With `past_only` members after the row
    are passed over too (the header `causal`). `avoid` is in the same scope and holds no Random.
    """

    count: int
    pool: Listing
    seed: int
    layer: int
    head: int
    avoid: Term
    past_only: bool = False


@frozen
class Found:
    """How lists are found where a call gives none: by a search of the pairs of `among`.

    `among` is what stands around the search, with everything in its own place.
    """

    search: Search
    among: Term


@frozen
class IndexList:
    """j is in the run-time list of row i, which may be `found`.

    An entry stands for `width` neighbouring keys: `block` of them where the call gives the list.
    """

    name: str
    found: Found | None = None
    block: int = 1

    @property
    def width(self) -> int:
        return self.found.search.width if self.found else self.block


@frozen
class Axis:
    """One axis of a neighbourhood: `left` and `right` in steps of `dilation`.

    `stride` groups queries as NATTEN 0.21 does. A causal axis looks back only, `right` is 0 there.
    """

    size: int
    left: int
    right: int
    dilation: int = 1
    stride: int = 1
    causal: bool = False


@frozen
class Neighborhood:
    """Windows on a raster-ordered grid (NATTEN); the product of the axis sizes is n."""

    axes: tuple[Axis, ...]
    edge: Literal["clip", "shift"]


@frozen
class WindowAxis:
    """One axis that is cut into windows of `window` members, the first after `shift` of them.

    Members are the positions of one residue of `dilation`.
    """

    size: int
    window: int
    shift: int = 0
    dilation: int = 1


@frozen
class Windows:
    """The windows of a raster-ordered grid: i and j are in one on every axis (Swin).

    What `shift` leaves at an end is a window (`clip`), or belongs to the last one, around the end
    (`wrap`), or does so but for what is among the first `shift` of a padded axis (`roll`, timm).
    """

    axes: tuple[WindowAxis, ...]
    edge: Literal["clip", "wrap", "roll"]


@frozen
class SameDocument:
    """The run-time labels of i and j are equal and not negative."""

    name: str


@frozen
class Offsets:
    """j - i, with `back` i - j, is in the run-time list `name`; holds nothing at i < 0."""

    name: str
    back: bool = False


@frozen
class Where:
    """The condition over i, j, n holds."""

    condition: Condition


@frozen
class Contextual:
    """On each side of i the `count` next nodes of every level of a tree, coarser with distance.

    The spans cover every other token once; the rule is that of `spans` in the `relation` package.
    Holds nothing at i < 0. With `past_only` on the left side alone, the spans that end before i.
    """

    count: int
    past_only: bool = False


@frozen
class AvailableSpans:
    """On a tree: the span of slot j ends at or before i."""

    branching: int


@frozen
class SpanOf:
    """In the rows of a tree: token j is in the span of row i."""

    branching: int


@frozen
class Blocks:
    """`body` on blocks of `size` positions: i // size, j // size, ceil(n / size)."""

    size: int
    body: Term


@frozen
class EqualParts:
    """`body` on `parts` nearly equal parts of the sequence: part parts*i // n; n is `parts`."""

    parts: int
    body: Term


@frozen
class Part:
    """`body` on the positions of a range, counted from 0; nothing outside it.

    Inside, n is the number of its positions below the n around it.
    """

    positions: PositionRange
    body: Term


@frozen
class Union:
    terms: tuple[Term, ...]


@frozen
class Intersection:
    terms: tuple[Term, ...]


@frozen
class Difference:
    left: Term
    right: Term


@frozen
class Complement:
    """The pairs of the operand's one source that are not in it."""

    operand: Term


@frozen
class On:
    """Pairs of query positions and slots of a key source; holds no further `On`."""

    term: Term
    source: KeySource


@frozen
class With:
    """The pairs of `term`, their scores modified.

    A pair that several terms of a union hold takes the score of the first.
    """

    term: Term
    modifier: Modifier


Term = (
    Full
    | Empty
    | Diagonal
    | Causal
    | Local
    | Strided
    | Segment
    | DilatedSegment
    | Columns
    | Rows
    | Global
    | Permutation
    | Random
    | IndexList
    | Neighborhood
    | Windows
    | SameDocument
    | Offsets
    | Where
    | Contextual
    | AvailableSpans
    | SpanOf
    | Blocks
    | EqualParts
    | Part
    | Union
    | Intersection
    | Difference
    | Complement
    | On
    | With
)


@frozen
class HeadPattern:
    """One attention operation of one head: mu(i, j) is the number of branches that hold (i, j).

    One branch is a set; several are the arguments of `mix`. The header `causal` is already applied:
    an operand `Causal()` of an `Intersection` means "available to the query" on every source.
    With a `combination` there are no branches. `rows` says whose rows ask; i is a slot of theirs,
    on a tree counted from its first span above the tokens.
    """

    branches: tuple[Term, ...]
    combination: Combination | None = None
    rows: RowsOf = TOKENS

    @property
    def sets(self) -> Iterator[Term]:
        """The branches of all softmaxes, from left to right."""
        yield from self.branches
        for argument in self.combination.arguments if self.combination else ():
            yield from argument.sets


def without_rules(rows: RowsOf, others: Iterable[RowsOf]) -> HeadPattern:
    """The rows of a tree: each span attends to its tokens; of a stream: all tokens and slots."""
    if isinstance(rows, Tree):
        return HeadPattern((SpanOf(rows.branching),), rows=rows)
    slots = (On(Full(), each) for each in others if isinstance(each, Stream))
    return HeadPattern((Union((Full(), *slots)),), rows=rows)


@frozen
class Combination:
    """Separate softmaxes whose outputs are combined.

    `gate`: two arguments take one weight s per head as (1 - s, s), more take one each; for
    `difference` they take (1, -s), and projections of rows are those of each argument alone. `mean`
    divides by the number of arguments with a key in that row.
    """

    kind: Literal["gate", "difference", "sum", "mean"]
    arguments: tuple[HeadPattern, ...]
    gate: str | None = None
