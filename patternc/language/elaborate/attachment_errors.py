"""What is said about key sources and score modifiers that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from patternc.language.syntax.builtins import SEARCHES
from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span

_ANYWHERE = "`full none columns rows where before random listed nearest top_blocks`"


def stands_elsewhere(word: str, span: Span, source: str, place: Span) -> Diagnostic:
    """A relation that means nothing on a source; `place` is where the source stands.

    `text` are the tokens in the rules of a stream, where no source is written.
    """
    if source == "text":
        return _in_other_rows(word, span)
    return diagnostic(
        "P074.stands_elsewhere",
        span,
        (Mark(place, "the source"),),
        word=word,
        source=source,
        anywhere=_ANYWHERE,
        within=word == "within",
        search=word in SEARCHES,
    )


def _in_other_rows(word: str, span: Span) -> Diagnostic:
    return diagnostic(
        "P074.in_other_rows",
        span,
        word=word,
        anywhere=_ANYWHERE,
        within=word == "within",
        search=word in SEARCHES,
    )


def projected_elsewhere(span: Span, place: Span) -> Diagnostic:
    return diagnostic(
        "P074.projected_elsewhere",
        span,
        (Mark(place, "the source"),) if place != span else (),
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
    return diagnostic(
        "P075.not_available",
        span,
        what=what if " " in what else f"`{what}`",
        cause=cause,
        note=note,
        advice=advice,
    )


def several_sources(operator: str, span: Span, names: Sequence[str]) -> Diagnostic:
    where = "the operand of `~`" if operator == "~" else f"the right side of `{operator}`"
    return diagnostic("P076.several_sources", span, where=where, sources="on " + ", ".join(names))


def elsewhere_under_meet(left: Span, right: Span, held: str, wanted: str) -> Diagnostic:
    return diagnostic(
        "P076.elsewhere_under_meet", left, (Mark(right, f"applies to {wanted}"),), held=held
    )


def twice(word: str, span: Span) -> Diagnostic:
    return diagnostic("P077.modifier_twice", span, word=word)


def not_alone(kind: str, span: Span) -> Diagnostic:
    word = {"mix": "lsh", "mean": "cluster"}[kind]
    return diagnostic("P068.not_alone", span, kind=kind, word=word)


def two_searches(name: str, span: Span, where: str) -> Diagnostic:
    return diagnostic("P048.two_searches", span, name=name, where=where)


def found_nowhere(name: str, span: Span) -> Diagnostic:
    return diagnostic("P068.found_nowhere", span, name=name)


def no_distance(word: str, span: Span, source: str) -> Diagnostic:
    return diagnostic(
        "P078.no_distance",
        span,
        source=source,
        word=word,
        tree=source == "tree",
        store=source == "store",
    )


def no_positions(word: str, span: Span, source: str) -> Diagnostic:
    return diagnostic("P078.no_positions", span, source=source, word=word)


def of_tokens(word: str, span: Span, source: str) -> Diagnostic:
    return diagnostic("P078.of_tokens", span, source=source, word=word)


def differs(word: str, span: Span, where: str) -> Diagnostic:
    return diagnostic("P112.modifier_differs", span, word=word, where=where)


def bias_on_several(name: str, span: Span, where: str) -> Diagnostic:
    return diagnostic("P112.bias_on_several", span, name=name, where=where)


def two_projections(first: str, second: str, span: Span, other: Span, where: str) -> Diagnostic:
    return diagnostic(
        "P113.two_projections",
        span,
        (Mark(other, "given here"),),
        first=first,
        second=second,
        where=where,
    )


def two_sizes(
    name: str, span: Span, size: str, first: Span, other: str, where: str, among: str
) -> Diagnostic:
    """`among` is what shares the input: the heads of a layer, or all layers."""
    return diagnostic(
        "P114.two_sizes",
        span,
        (Mark(first, f"here: {other}"),) if first != span else (),
        name=name,
        size=size,
        where=where,
        among=among,
        slots=size.endswith("slots"),
        buckets="buckets" in size,
    )
