"""What is said about key sources and score modifiers that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.source import Span

_ANYWHERE = "`full none columns rows where random listed`"


def stands_elsewhere(word: str, span: Span, source: str, place: Span) -> Diagnostic:
    """A relation that means nothing on a source; `place` is where the source stands.

    `text` are the tokens in the rules of a stream, where no source is written.
    """
    if source == "text":
        return _in_other_rows(word, span)
    return Diagnostic(
        "P074",
        f"`{word}` on `{source}`",
        span,
        "relates token positions",
        note=f"every source allows {_ANYWHERE}; `memory`, `encoder` and `stream` also allow "
        "`local strided segment causal diagonal same blocks(B)`; the tokens allow all relations",
        help="write a condition on the query i and the slot j: `where(..)`",
        marks=(Mark(place, "the source"),),
    )


def _in_other_rows(word: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P074",
        f"`{word}` for the queries of a stream",
        span,
        "relates token positions",
        note="to the slots of a stream the tokens are another sequence, which allows "
        f"{_ANYWHERE} and `local strided segment causal diagonal same blocks(B)`",
        help="write a condition on the slot i and the token j: `where(..)`",
    )


def projected_elsewhere(span: Span, place: Span) -> Diagnostic:
    return Diagnostic(
        "P074",
        "`projection=` on another source",
        span,
        "applies to queries of the tokens",
        note="a query with its own projection uses it on every source",
        help="move the projection to a term without `on`",
        marks=(Mark(place, "the source"),) if place != span else (),
    )


def not_available(what: str, span: Span, cause: str) -> Diagnostic:
    """A source whose slots hold later positions, where only the past is available."""
    if what == "text":
        what, note = "the tokens", "a slot of a stream has no token position"
        advice = "remove `causal`, or the rules of the stream"
    elif what == "pool":
        note = "with `tail=merge` the last slot also contains the remainder of the sequence"
        advice = "write `tail=drop` or `tail=clip`"
    else:
        note = f"every slot of `{what}` depends on the whole sequence"
        advice = "remove `causal` or the source"
    return Diagnostic(
        "P075",
        f"{what if ' ' in what else f'`{what}`'} cannot be causal",
        span,
        f"non-causal: contains later positions, which {cause} excludes",
        note=note,
        help=advice,
    )


def several_sources(operator: str, span: Span, names: Sequence[str]) -> Diagnostic:
    where = "the operand of `~`" if operator == "~" else f"the right side of `{operator}`"
    return Diagnostic(
        "P076",
        f"several key sources in {where}",
        span,
        "on " + ", ".join(names),
        note="the right side of `&` and `-` has a single source; `~A` is the complement within the "
        "single source of A",
        help="write one term for each source and join them by `+`",
    )


def elsewhere_under_meet(left: Span, right: Span, held: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "P076",
        "`&` across key sources",
        left,
        f"contains pairs on {held}",
        note="`&` would drop all pairs on a source other than the one of its right side; only "
        "`causal` applies to every source",
        help="write `(A & B) + C on ..`",
        marks=(Mark(right, f"applies to {wanted}"),),
    )


def twice(word: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P077",
        f"`{word}` is applied twice to one term",
        span,
        "the pattern or one of its terms already has this modifier",
        note="a modifier applies to a term at most once",
        help="remove one of them",
    )


def no_distance(word: str, span: Span, source: str) -> Diagnostic:
    return Diagnostic(
        "P078",
        f"`{source}` slots have no position for distance-based modifiers",
        span,
        f"`{word}` needs the distance i - j",
        note="a span of a tree covers many positions"
        if source == "tree"
        else f"the slots of `{source}` are learned and have no position in the sequence",
        help="apply the modifier to the other terms only: `(A with ..) + B on ..`",
    )


def differs(word: str, span: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P112",
        f"`{word}` differs between the terms of one softmax",
        span,
        where or "differs from the other terms",
        note=f"`{word}` changes queries and keys, so all terms of a softmax share it",
        help="apply it to the whole pattern: `(A + B) with ..`",
    )


def bias_on_several(name: str, span: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P112",
        f"`bias({name})` on several key sources",
        span,
        where or "one tensor used for two sources",
        note="a bias has one column for each slot of its source",
        help="use a separate bias for each source",
    )


def two_projections(first: str, second: str, span: Span, other: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P113",
        f"queries with two projections, `{first}` and `{second}`",
        span,
        where or "some of these queries have another projection",
        note="a query uses its projection in every term, so it has at most one",
        help="use disjoint query sets, or a single projection",
        marks=(Mark(other, "given here"),),
    )


def two_sizes(
    name: str, span: Span, size: str, first: Span, other: str, where: str, among: str
) -> Diagnostic:
    """`among` is what shares the input: the heads of a layer, or all layers."""
    return Diagnostic(
        "P114",
        f"`{name}` has two different sizes",
        span,
        f"here: {size}" + (f", {where}" if where else ""),
        note=f"`{name}` is one input for {among}",
        help=_one_size(size),
        marks=(Mark(first, f"here: {other}"),) if first != span else (),
    )


def _one_size(size: str) -> str:
    if size.endswith("slots"):
        fewer = "where fewer slots are meant, `columns([0:4]) on ..` in place of `full on ..`"
        return f"write the larger size in both places, and {fewer}"
    if "buckets" in size:
        return "write one size, or give each a name of its own: `t5(.., name=a)`"
    return "write one size in both places"
