"""What `suggest` says: a program with its numbers in comments, or a JSON document.

Converts an answer to text. The text is a program as it stands, so that it can be written to a file
or piped on. Does not search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from patternc.language.syntax.diagnostics import Diagnostic
from patternc.search import Outcome, SearchAnswer, SearchQuery, Suggestion

FORMAT = "patternc.suggest/1"
# Rows of the table.
_MOST = 24
# Columns of a lesson.
_WIDE = 94
Json = dict[str, object]


def program(answer: SearchAnswer) -> str:
    """The best suggestion as the text of a program. Raises `ValueError` where there is none."""
    best = answer.best
    if best is None:
        raise ValueError(nothing_fits(answer))
    lines = [_headline(best), _numbers(best), *_slowest(best), f"query: {_asked(answer.asked)}"]
    lines += ["", *_table(answer), *_apart(answer), *_lessons(answer)]
    comments = "\n".join(f"# {line}".rstrip() for line in lines)
    return f"{comments}\n{best.text.rstrip()}\n"


def nothing_fits(answer: SearchAnswer) -> str:
    """Why there is no suggestion, and what the smallest budget found is."""
    asked, near = answer.asked, answer.nearest
    said = f"no candidate connects every pair ({_asked(asked)})"
    if near is None:
        return f"{said}; more layers would help, or other templates (--template, --vary)"
    return (
        f"{said}; the minimum budget found is {near.pairs:,} pairs: {near.template} with "
        f"{_values(near)}, full after {_layers(near.full_at)}"
    )


def document(answer: SearchAnswer) -> Json:
    """The whole answer."""
    asked = answer.asked
    return {
        "format": FORMAT,
        "n": asked.n,
        "layers": asked.layers,
        "heads": asked.heads,
        "causal": asked.causal,
        "budget": asked.pairs,
        "best": _suggestion(answer.best),
        "front": [_suggestion(one) for one in answer.front],
        "lessons": [_lesson(lesson) for lesson in answer.lessons],
        "nearest": _suggestion(answer.nearest),
        "templates": [_outcome(outcome) for outcome in answer.outcomes],
    }


def _lesson(lesson: Diagnostic) -> Json:
    return {
        "code": lesson.code,
        "title": lesson.title,
        "where": lesson.label,
        "note": lesson.note,
        "help": lesson.help,
    }


def _outcome(outcome: Outcome) -> Json:
    return {
        "template": outcome.template,
        "about": outcome.about,
        "front": [_suggestion(one) for one in outcome.front],
        "nearest": _suggestion(outcome.nearest),
        "trials": outcome.trials,
        "complete": outcome.complete,
    }


def _suggestion(one: Suggestion | None) -> Json | None:
    if one is None:
        return None
    return {
        "template": one.template,
        "values": dict(one.values),
        "pairs": one.pairs,
        "density": one.density,
        "full_at": one.full_at,
        "slowest": None if one.slowest is None else list(one.slowest),
        "program": one.text,
    }


def _headline(best: Suggestion) -> str:
    return f"{best.template} with {_values(best)}"


def _numbers(best: Suggestion) -> str:
    return (
        f"{best.pairs:,} pairs per head and layer, {best.density:.3%} of all; "
        f"every pair is connected after {_layers(best.full_at)}"
    )


def _slowest(best: Suggestion) -> Iterator[str]:
    if best.slowest is not None:
        query, key = best.slowest
        yield f"slowest pair (example): query {query:,}, key {key:,}"


def _asked(asked: SearchQuery) -> str:
    parts = [f"n = {asked.n:,}", f"within {_layers(asked.layers)}"]
    parts += [f"{asked.heads} heads"] if asked.heads else []
    parts += ["causal"] if asked.causal else []
    parts += [f"at most {asked.pairs:,} pairs"] if asked.pairs else []
    return ", ".join(parts)


def _layers(count: int) -> str:
    return f"{count} layer" if count == 1 else f"{count} layers"


def _table(answer: SearchAnswer) -> Iterator[str]:
    """Every suggestion, the fewest layers first."""
    every = [one for outcome in answer.outcomes for one in outcome.front]
    ranked = sorted(every, key=lambda one: (one.full_at, one.pairs))
    rows = [("layers", "pairs", "density", "", "template")]
    for one in ranked[:_MOST]:
        mark = "" if one in answer.front else "bettered"
        told = f"{one.template}: {_values(one)}"
        rows.append((str(one.full_at), f"{one.pairs:,}", f"{one.density:.3%}", mark, told))
    yield from _aligned(rows)
    if len(ranked) > _MOST:
        yield f"and {len(ranked) - _MOST} more"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        yield "  ".join((*numbers, row[3].ljust(widths[3]), row[4])).rstrip()


def _apart(answer: SearchAnswer) -> Iterator[str]:
    """Templates of which nothing fits, and those that were not searched to the end."""
    for outcome in answer.outcomes:
        if outcome.nearest is not None:
            near = f"at least {outcome.nearest.pairs:,} pairs, with {_values(outcome.nearest)}"
            yield f"{outcome.template} is over the budget: {near}"
        elif not outcome.front:
            yield f"{outcome.template} does not connect every pair within the layers"
        if not outcome.complete:
            yield f"{outcome.template}: stopped after {outcome.trials} trials (--trials)"


def _lessons(answer: SearchAnswer) -> Iterator[str]:
    """What the best program could do better."""
    for lesson in answer.lessons:
        told = f"{lesson.code}, {lesson.title} ({lesson.label}): {lesson.note}; {lesson.help}"
        first, *rest = wrap(told, _WIDE)
        yield first
        yield from (f"  {line}" for line in rest)


def _values(one: Suggestion) -> str:
    return ", ".join(f"{name} = {value}" for name, value in one.values.items())
