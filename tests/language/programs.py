"""Random programs as trees, and the published systems as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st

from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    Call,
    CallHeader,
    Comparison,
    CountHeader,
    Decimal,
    FlagHeader,
    Let,
    Lift,
    Name,
    Node,
    Number,
    Otherwise,
    Parameter,
    Program,
    Range,
    Sequence,
    StreamRows,
    Unary,
    When,
)

_WORDS = ("i", "j", "n", "layer", "head", "heads", "layers", "rows", "full", "causal", "w", "only_")
_BINARY = ("or", "and", "+", "-", "&", "on", "with", "*", "//", "%", "**")
_COMPARED = ("<", "<=", "==", "!=", ">=", ">")

_names = st.sampled_from(_WORDS)
_leaves = (
    st.builds(Number, st.integers(0, 2**70))
    | st.builds(Decimal, st.sampled_from(("0.5", "1e4", "10.25e-3")))
    | st.builds(Name, _names)
)


def _larger(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    ranges = st.builds(Range, st.none() | nodes, st.none() | nodes)
    arguments = st.builds(Argument, st.none() | _names, nodes | ranges)
    calls = st.builds(
        Call,
        st.sampled_from(("local", "rows", "blocks")),
        st.lists(arguments, max_size=3).map(tuple),
    )
    return st.one_of(
        st.builds(Unary, st.sampled_from(("-", "~", "not")), nodes),
        st.builds(Binary, st.sampled_from(_BINARY), nodes, nodes),
        st.integers(1, 2).flatmap(lambda k: _comparisons(nodes, k)),
        st.builds(Sequence, st.lists(nodes | ranges, max_size=3).map(tuple)),
        calls,
        st.builds(Lift, calls, nodes),
    )


def _comparisons(nodes: st.SearchStrategy[Node], links: int) -> st.SearchStrategy[Node]:
    operands = st.tuples(*[nodes] * (links + 1))
    return st.builds(Comparison, operands, st.tuples(*[st.sampled_from(_COMPARED)] * links))


nodes = st.recursive(_leaves, _larger, max_leaves=12)

_bound = st.sampled_from(("w", "allow_", "tokens", "W2"))
_headers = st.one_of(
    st.builds(CountHeader, st.sampled_from(("heads", "layers")), nodes),
    st.builds(FlagHeader, st.sampled_from(("causal", "allow empty"))),
    st.builds(CallHeader, st.just(Call("unfold", (Argument(None, Number(4)),)))),
    st.builds(Parameter, _bound, nodes),
    st.builds(Let, _bound, nodes),
)
_rules = st.one_of(
    st.builds(Bare, nodes),
    st.builds(When, nodes, nodes),
    st.builds(Otherwise, nodes),
)
_later = st.builds(StreamRows, st.just("g")) | _rules

programs = st.builds(
    lambda headers, rule, rest: Program((*headers, rule, *rest)),
    st.lists(_headers, max_size=4),
    _rules,
    st.lists(_later, max_size=3),
)
"""Programs as trees. They need not mean anything; they can all be written and read."""


def zoo() -> Iterator[tuple[str, str]]:
    """Name and text of every published system."""
    text = (Path(__file__).parent / "zoo.txt").read_text(encoding="utf-8")
    for part in text.split("\n=== ")[1:]:
        name, _, program = part.partition("\n")
        yield name, program


def _call(function: str, *arguments: Node | Range, **named: Node) -> Call:
    placed = tuple(Argument(None, argument) for argument in arguments)
    return Call(function, placed + tuple(Argument(name, value) for name, value in named.items()))


_sizes = st.integers(1, 6).map(Number) | st.sampled_from((Name("w"), Name("head")))
_lists = st.lists(_sizes | st.builds(Range, _sizes, st.none()), max_size=2).map(tuple).map(Sequence)
_relations = st.one_of(
    st.sampled_from(("full", "none", "diagonal", "a", "b")).map(Name),
    st.builds(lambda r: _call("local", r), _sizes),
    st.builds(lambda k: _call("random", k), _sizes),
    st.builds(lambda k, s: _call("random", k, pool=s), _sizes, _lists),
    st.builds(lambda s: _call("global", s), _lists),
    st.builds(lambda w: _call("same", Name("labels")), _sizes),
)


_sources = st.sampled_from((_call("memory", Number(4)), Name("encoder")))
_modifiers = st.sampled_from((Name("sink"), Name("alibi"), _call("t5", Number(8), Number(16))))


def _combined(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Binary, st.sampled_from(("+", "+", "&", "-")), parts, parts),
        st.builds(lambda size, body: Lift(_call("blocks", size), body), _sizes, parts),
        st.builds(lambda body, source: Binary("on", body, source), parts, _sources),
        st.builds(lambda body, modifier: Binary("with", body, modifier), parts, _modifiers),
    )


_sets = st.recursive(_relations, _combined, max_leaves=6)
patterns = st.builds(
    lambda first, second, rule: Program(
        (
            CountHeader("heads", Number(2)),
            Parameter("w", Number(3)),
            Let("a", first),
            Let("b", second),
            Bare(rule),
        )
    ),
    _sets,
    _sets,
    st.builds(_call, st.sampled_from(("mix", "gate", "mean")), _sets, _sets) | _sets,
)
"""Programs many of which mean something: draws, lets, sources, modifiers, combinations."""
