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
        "relates positions of the tokens",
        note=f"on every source stand {_ANYWHERE}; on `memory`, `encoder` and `stream` also "
        "`local strided segment causal diagonal same blocks(B)`; on the tokens all of them",
        help="write a condition on the query i and the slot j: `where(..)`",
        marks=(Mark(place, "the source"),),
    )


def _in_other_rows(word: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P074",
        f"`{word}` in the rows of a stream",
        span,
        "relates positions of the tokens",
        note="for the slots of a stream the tokens are another sequence: on them stand "
        f"{_ANYWHERE} and `local strided segment causal diagonal same blocks(B)`",
        help="write a condition on the slot i and the token j: `where(..)`",
    )


def projected_elsewhere(span: Span, place: Span) -> Diagnostic:
    return Diagnostic(
        "P074",
        "`projection=` on another source",
        span,
        "names rows of the tokens",
        note="a row with a projection of its own uses it on every source",
        help="give the projection to a term without `on`",
        marks=(Mark(place, "the source"),) if place != span else (),
    )


def not_available(what: str, span: Span, cause: str) -> Diagnostic:
    """A source whose slots hold later positions, where only the past is available."""
    if what == "text":
        what, note = "the tokens", "a slot of a stream stands nowhere among the tokens"
        advice = "leave `causal` out, or the rows of the stream"
    elif what == "pool":
        note = "with `tail=merge` the last slot takes in leftovers, so its end depends on n"
        advice = "write `tail=drop` or `tail=clip`"
    else:
        note = f"every slot of `{what}` takes in the whole sequence"
        advice = "leave `causal` out, or the source"
    return Diagnostic(
        "P075",
        f"{what if ' ' in what else f'`{what}`'} under causality",
        span,
        f"looks ahead, and {cause} takes away what is not available",
        note=note,
        help=advice,
    )


def several_sources(operator: str, span: Span, names: Sequence[str]) -> Diagnostic:
    where = "the operand of `~`" if operator == "~" else f"the right side of `{operator}`"
    return Diagnostic(
        "P076",
        f"several key sources at {where}",
        span,
        "on " + ", ".join(names),
        note="`&` and `-` work source by source, and their right side has one; `~A` is within the "
        "one source of A",
        help="write one term for each source, and join them by `+`",
    )


def elsewhere_under_meet(left: Span, right: Span, held: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "P076",
        "`&` across key sources",
        left,
        f"has pairs on {held}",
        note="`&` works source by source; pairs on another source than its right side's would all "
        "be lost. Only `causal` speaks of every source",
        help="write `(A & B) + C on ..`",
        marks=(Mark(right, f"speaks of {wanted}"),),
    )


def twice(word: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P077",
        f"`{word}` twice on one term",
        span,
        "the pattern, or a part of it, has this modifier already",
        note="every modifier applies at most once",
        help="leave one of them out",
    )


def no_distance(word: str, span: Span, source: str) -> Diagnostic:
    return Diagnostic(
        "P078",
        f"distances on `{source}`",
        span,
        f"`{word}` needs the distance i - j",
        note="a span of a tree has no single place in the sequence"
        if source == "tree"
        else f"the slots of `{source}` are learned and stand nowhere in the sequence",
        help="give the modifier to the other terms alone: `(A with ..) + B on ..`",
    )


def differs(word: str, span: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P112",
        f"`{word}` differs between the terms of one softmax",
        span,
        where or "not the same everywhere",
        note=f"`{word}` belongs to the product of queries and keys, which a softmax has one of",
        help="put the whole pattern in brackets: `(A + B) with ..`",
    )


def bias_on_several(name: str, span: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P112",
        f"`bias({name})` on several key sources",
        span,
        where or "one tensor for keys of two sources",
        note="the keys of a bias are the slots of the source it stands on",
        help="give every source a bias of its own",
    )


def two_projections(first: str, second: str, span: Span, other: Span, where: str) -> Diagnostic:
    return Diagnostic(
        "P113",
        f"rows with two projections, `{first}` and `{second}`",
        span,
        where or "some of these rows have another one",
        note="every pair of a row with a projection uses it, in any term; so a row has at most one",
        help="write row sets that do not meet, or one projection",
        marks=(Mark(other, "given here"),),
    )


def two_sizes(
    name: str, span: Span, size: str, first: Span, other: str, where: str, among: str
) -> Diagnostic:
    """`among` is what shares the input: the heads of a layer, or all layers."""
    return Diagnostic(
        "P114",
        f"`{name}` has two sizes",
        span,
        f"here: {size}" + (f", {where}" if where else ""),
        note=f"`{name}` is one input for {among}",
        help="write one size; what a head sees of it is said by its pattern",
        marks=(Mark(first, f"here: {other}"),) if first != span else (),
    )
