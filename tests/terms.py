"""Random terms of the language, small enough to compare with dense masks."""

from __future__ import annotations

from hypothesis import strategies as st

from patternc.ir.formula import Compare, Constant, FloorDivide, Modulo, Subtract, Variable
from patternc.ir.terms import (
    Axis,
    Blocks,
    Causal,
    Columns,
    Complement,
    Diagonal,
    Difference,
    DilatedSegment,
    Empty,
    EqualParts,
    Full,
    Global,
    HeadPattern,
    Intersection,
    Listing,
    Local,
    Neighborhood,
    Period,
    Permutation,
    PositionRange,
    Random,
    Rows,
    Segment,
    Strided,
    Term,
    Union,
    Where,
)

sizes = st.integers(1, 12)
small = st.integers(0, 6)


def constant(value: int) -> Constant:
    return Constant(value)


ends = st.one_of(
    st.integers(-20, 40).map(constant),
    st.builds(FloorDivide, st.just(Variable("n")), st.integers(2, 4).map(constant)),
    st.builds(Subtract, st.just(Variable("n")), st.integers(1, 9).map(constant)),
)
ranges = st.one_of(
    ends.map(lambda end: PositionRange(end, None, True)),
    st.builds(PositionRange, st.none() | ends, st.none() | ends),
)
listings = st.lists(ranges, min_size=1, max_size=6).map(lambda parts: Listing(tuple(parts)))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    length = draw(st.integers(2, 12))
    start = draw(st.integers(0, length - 1))
    return Period(length, start, draw(st.integers(start + 1, length)))


positions = listings | periods()


@st.composite
def local(draw: st.DrawFn) -> Local:
    left, right = draw(st.integers(-3, 12)), draw(st.integers(-3, 12))
    if left + right < 0:
        left, right = right + 4, left + 4
    side = Constant(left) if draw(st.booleans()) else FloorDivide(Variable("n"), Constant(3))
    return Local(side, Constant(max(right, 0)), draw(st.integers(1, 5)))


@st.composite
def where(draw: st.DrawFn) -> Where:
    i, j = Variable("i"), Variable("j")
    left = draw(
        st.sampled_from(
            [Modulo(i, Constant(5)), FloorDivide(j, Constant(3)), Subtract(i, j), Variable("n")]
        )
    )
    operator = draw(st.sampled_from(["<", "<=", "==", "!=", ">", ">="]))
    return Where(Compare(operator, left, draw(st.sampled_from([i, j, Constant(2)]))))


@st.composite
def dilated(draw: st.DrawFn) -> DilatedSegment:
    return DilatedSegment(draw(st.integers(2, 30)), draw(st.integers(1, 7)), draw(small))


leaves: st.SearchStrategy[Term] = st.one_of(
    st.sampled_from([Full(), Empty(), Diagonal(), Causal()]),
    local(),
    local(),
    st.builds(Strided, sizes),
    st.builds(Segment, sizes, small, small),
    dilated(),
    st.builds(Columns, positions),
    st.builds(Rows, positions),
    st.builds(Global, positions),
    where(),
    st.permutations(range(4)).map(lambda keys: Permutation(tuple(keys))),
    st.permutations(range(11)).map(lambda keys: Permutation(tuple(keys))),
)


def _combined(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pair = st.tuples(children, children)
    return st.one_of(
        pair.map(Union),
        pair.map(Intersection),
        st.builds(Difference, children, children),
        st.builds(Complement, children),
        st.builds(Blocks, st.integers(2, 9), children),
        st.builds(EqualParts, st.integers(1, 3), children),
    )


formulas: st.SearchStrategy[Term] = st.recursive(leaves, _combined, max_leaves=4)


def randoms(avoid: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.builds(Random, st.integers(1, 3), listings, small, small, small, avoid, st.booleans())


@st.composite
def with_random(draw: st.DrawFn) -> Term:
    """A random part beside a formula, in tokens or blocks, perhaps cut."""
    formula = draw(leaves)
    term: Term = Union((formula, draw(randoms(st.just(formula)))))
    if draw(st.booleans()):
        term = Blocks(draw(st.integers(2, 9)), term)
    return Intersection((term, draw(leaves))) if draw(st.booleans()) else term


terms = formulas | with_random()
patterns = st.lists(terms, min_size=1, max_size=3).map(lambda parts: HeadPattern(tuple(parts)))


@st.composite
def neighborhoods(draw: st.DrawFn) -> tuple[Neighborhood, int]:
    """A neighbourhood on a small grid, and its n."""
    axes, n = [], 1
    for _ in range(draw(st.integers(1, 2))):
        size, dilation = draw(st.integers(6, 9)), draw(st.integers(1, 2))
        left = draw(st.integers(0, 1))
        causal = draw(st.booleans())
        right = 0 if causal else draw(st.integers(0, 1))
        axes.append(Axis(size, left, right, dilation, causal=causal))
        n *= size
    return Neighborhood(tuple(axes), draw(st.sampled_from(["clip", "shift"]))), n
