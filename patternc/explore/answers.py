"""What the page is told: a request's name and fields to plain dictionaries and lists.

Needs neither a server nor torch. Errors of a program come as its diagnostics, with places in code
points of the text; whatever else cannot be answered as `error`, a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise

import numpy as np

from patternc.algebra.work_budget import EffortError, allowance
from patternc.explore.asked import MOST_CELLS, Asked
from patternc.ir.sources import word_of
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.source import SourceText
from patternc.queries.arguments import MOST_TOKENS
from patternc.report import diff as difference
from patternc.report import why as reasons
from patternc.report.check import finding
from patternc.report.reach_growth import MOST_DRAWN
from patternc.report.report_pictures import growth_of
from patternc.report.svg import Mask, levels
from patternc.semantics.dense_strips import SizeError

Json = dict[str, object]

# Numbers that one answer computes.
_NUMBERS = 1 << 27
_MOST_LAYERS = 64
# Length at which warnings are looked for.
_CHECKED = 1024


def answer(name: str, fields: Mapping[str, object]) -> Json:
    """The answer to one request; of an unknown name too it is an `error`."""
    asked = Asked(fields)
    try:
        if name not in ANSWERS:
            raise ValueError(f"unknown request {name!r}; expected one of {', '.join(ANSWERS)}")
        with allowance(_NUMBERS):
            return ANSWERS[name](asked)
    except PatternError as error:
        return {"diagnostics": _found(error.diagnostics, error.source)}
    except (EffortError, SizeError, ValueError) as error:
        return {"error": str(error)}


def check(asked: Asked) -> Json:
    """Heads, layers, inputs, the lengths that fit, and warnings."""
    pattern = asked.pattern()
    fitting = pattern.fitting()
    return {
        "heads": pattern.heads,
        "layers": pattern.layers,
        "inputs": [{"name": item.name, "shape": item.shape} for item in pattern.inputs],
        "lengths": None if fitting is None else list(fitting),
        "diagnostics": _found(pattern.check(None if fitting else _CHECKED), pattern.tree.source),
    }


def _found(diagnostics: Sequence[Diagnostic], source: SourceText) -> list[Json]:
    return [
        {
            **finding(item, source),
            "start": None if item.span is None else item.span.start,
            "stop": None if item.span is None else item.span.stop,
        }
        for item in diagnostics
    ]


def mask(asked: Asked) -> Json:
    """A window of the mask: levels 0 to 5 of squares of `cell` positions, a text for each row.

    It begins at square (`top`, `left`) and is cut where the mask ends.
    """
    view = asked.view()
    cell = asked.number("cell", 1, MOST_TOKENS)
    head = view.heads[0]
    squares = view.squares(view.subject.relations(view.layer)[head], cell, head)
    rows, columns = (
        _cut(asked.number(first, 0, MOST_TOKENS, 0), asked.number(count, 1, MOST_CELLS), whole)
        for first, count, whole in zip(
            ("top", "left"), ("height", "width"), squares.shape, strict=True
        )
    )
    grid = levels(squares.of_rows(rows, columns)) if rows and columns else np.zeros((0, 0), int)
    return {
        "queries": view.queries,
        "keys": view.keys,
        "sources": [
            {"name": word_of(source), "start": start, "stop": stop}
            for source, (start, stop) in view.spans.items()
        ],
        "cell": cell,
        "top": rows.start,
        "left": columns.start,
        "levels": ["".join(map(str, row)) for row in grid.tolist()],
        "caption": view.caption,
    }


def _cut(first: int, count: int, size: int) -> range:
    return range(min(first, size), min(first + count, size))


def why(asked: Asked) -> Json:
    """What the head says of the pair at the middle of a square, or of a pair that it holds there.

    `places` are the parts of the text that allow it or leave it out.
    """
    view = asked.view()
    pattern, head = asked.pattern(), view.heads[0]
    cell = asked.number("cell", 1, MOST_TOKENS, 1)
    query = asked.number("query", 0, view.queries - 1)
    key = asked.number("key", 0, view.n - 1)
    relation = view.subject.relations(view.layer)[head]
    if cell > 1:
        pair = view.squares(relation, cell, head).held_pair(query // cell, key // cell)
        query, key = pair or (query, key)
    found = pattern.why(
        view.n, query, key, layer=view.layer, head=head, layers=1, slots=view.slots, **view.inputs
    )
    verdict = found.verdicts[0]
    source = SourceText.of(pattern.text, pattern.name)
    dropped = () if verdict.dropped_by is None else (verdict.dropped_by,)
    return {
        "query": query,
        "key": key,
        "sees": verdict.sees,
        "text": reasons.said(verdict),
        "places": [
            {"start": start, "stop": start + len(part.text)}
            for part in (*verdict.allowed_by, *dropped)
            for start in [source.offset(part.line, part.column)]
        ],
    }


def reach(asked: Asked) -> Json:
    """The keys that a row depends on after 1, 2, .. layers, as runs [start, stop)."""
    view, pattern = asked.view(), asked.pattern()
    if view.n > MOST_DRAWN:
        raise ValueError(f"receptive fields are drawn up to {MOST_DRAWN:,} tokens")
    count = asked.number("count", 1, _MOST_LAYERS, pattern.layers or 4)
    query = asked.number("query", 0, view.n - 1)
    grown = growth_of(pattern, view, count, view.n, query)
    return {"query": query, "layers": [_runs(row) for row in grown.row]}


def _runs(row: Mask) -> list[list[int]]:
    edges = np.flatnonzero(np.diff(row, prepend=False, append=False)).tolist()
    return [list(run) for run in list(pairwise(edges))[::2]]


def report(asked: Asked) -> Json:
    """The report's document, and its table of costs as text."""
    found = asked.pattern().report(asked.n)
    return {"document": found.document(), "text": found.text()}


def diff(asked: Asked) -> Json:
    """Whether two programs are equal for every n, or a pair in which they differ."""
    found = asked.pattern().diff(asked.pattern("other"))
    witness = found.witness
    return {
        "outcome": found.outcome,
        "text": difference.text(found),
        "witness": None if witness is None else asdict(witness) | {"source": ""},
    }


ANSWERS: dict[str, Callable[[Asked], Json]] = {
    "check": check,
    "mask": mask,
    "why": why,
    "reach": reach,
    "report": report,
    "diff": diff,
}
