"""Random terms over key sources, and what a call says of them."""

from __future__ import annotations

from hypothesis import strategies as st

from patternc.ir.modifiers import Sink
from patternc.ir.sources import (
    TOKENS,
    Compressed,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Stream,
)
from patternc.ir.terms import (
    Blocks,
    Causal,
    Columns,
    Combination,
    Complement,
    Diagonal,
    Difference,
    Empty,
    Full,
    Global,
    HeadPattern,
    Intersection,
    On,
    Rows,
    Segment,
    Strided,
    Term,
    Union,
    With,
)
from patternc.modifiers.alibi import Alibi
from patternc.semantics.key_sources import sources_of
from tests.terms import dilated, local, positions, randoms, sizes, small, terms, where

memories = st.builds(Memory, st.integers(1, 12))
compressions = st.builds(Compressed, st.integers(1, 8), st.integers(2, 4))
streams = st.builds(Stream, st.sampled_from(["summary", "title"]), st.integers(1, 6))
learned = st.one_of(
    st.builds(Persistent, st.integers(1, 6)), st.builds(Project, st.integers(1, 6)), compressions
)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    size = draw(st.integers(1, 9))
    stride = draw(st.integers(1, size))
    return Pool(
        size, draw(st.sampled_from(["mean", "sum", "max"])), stride,
        draw(st.sampled_from(["clip", "drop"])),
    )  # fmt: skip


sources: st.SearchStrategy[KeySource] = st.one_of(
    memories, streams, st.just(Encoder()), learned, pools(), pools()
)
SEQUENCES = (Memory, Stream, Encoder)

# What stands on every source, and what only on sources that are sequences themselves.
slot_leaves: st.SearchStrategy[Term] = st.one_of(
    st.sampled_from([Full(), Empty()]),
    st.builds(Columns, positions),
    st.builds(Rows, positions),
    where(),
    randoms(st.just(Empty()) | st.builds(Columns, positions)),
)
sequence_leaves = slot_leaves | st.one_of(
    st.sampled_from([Diagonal(), Causal()]),
    local(),
    st.builds(Strided, sizes),
    st.builds(Segment, sizes, small, small),
    dilated(),
)


def _operators(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pair = st.tuples(children, children)
    return st.one_of(
        pair.map(Union),
        pair.map(Intersection),
        children.map(lambda term: Intersection((term, Causal()))),
        st.builds(Difference, children, children),
        st.builds(Complement, children),
    )


on_slots = st.recursive(slot_leaves, _operators, max_leaves=3)
on_sequences = st.recursive(
    sequence_leaves,
    lambda children: _operators(children) | st.builds(Blocks, st.integers(2, 5), children),
    max_leaves=3,
)
score_modifiers = st.sampled_from([Alibi(), Sink()])


@st.composite
def with_source(draw: st.DrawFn) -> Term:
    """One part: tokens or slots of one source, perhaps cut to what is available, modified."""
    source = draw(st.just(TOKENS) | sources)
    if source == TOKENS:
        term = draw(terms)
    else:
        inner = draw(on_sequences if isinstance(source, SEQUENCES) else on_slots)
        term = On(inner, source)
    if draw(st.booleans()):
        term = Intersection((term, Causal()))
    for modifier in draw(st.lists(score_modifiers, max_size=2, unique=True)):
        term = With(term, modifier)
    return term


@st.composite
def with_sources(draw: st.DrawFn) -> Term:
    """A union over sources, less a set of one of them, its rows perhaps with a projection."""
    term: Term = Union(tuple(draw(st.lists(with_source(), min_size=1, max_size=3))))
    if draw(st.booleans()):
        term = Difference(term, draw(with_source()))
    if draw(st.booleans()):
        term = Union((Global(draw(positions), "global"), term))
    return Intersection((term, Causal())) if draw(st.booleans()) else term


def source_patterns() -> st.SearchStrategy[HeadPattern]:
    """Patterns that the language takes: an input has one size (P114)."""
    return _any_patterns().filter(_inputs_have_one_size)


def _inputs_have_one_size(pattern: HeadPattern) -> bool:
    found = {source for source in sources_of(pattern) if not isinstance(source, Pool)}
    inputs = [(type(source), getattr(source, "name", None)) for source in found]
    return len(inputs) == len(set(inputs))


@st.composite
def _any_patterns(draw: st.DrawFn) -> HeadPattern:
    """A mix, or a combination of mixes."""
    mixes = st.lists(with_sources(), min_size=1, max_size=2).map(
        lambda branches: HeadPattern(tuple(branches))
    )
    if draw(st.booleans()):
        return draw(mixes)
    kind = draw(st.sampled_from(["gate", "sum", "mean"]))
    arguments = tuple(draw(st.lists(mixes, min_size=1, max_size=2)))
    return HeadPattern((), Combination(kind, arguments, "g" if kind == "gate" else None))


@st.composite
def call_sizes(draw: st.DrawFn, pattern: HeadPattern) -> dict[str, int]:
    """What a call says of the sources of `pattern`: the slots it has of each."""
    found = {"encoder": draw(st.integers(0, 30))}
    for source in sources_of(pattern):
        if isinstance(source, Memory):
            found["memory"] = draw(st.integers(0, min(source.length, found.get("memory", 99))))
        if isinstance(source, Compressed):
            found["compressed"] = draw(
                st.integers(0, min(source.length, found.get("compressed", 99)))
            )
    return found
