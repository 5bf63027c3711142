"""`patternc why` as lines of text or a JSON document.

Positions, layers and heads count from 0, lines and columns from 1. Heads that say the same stand
together. Does not find reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from patternc.analysis.explain.explain import PathStep, Why
from patternc.analysis.explain.pair import ProgramPart, Verdict


def text(found: Why) -> str:
    return "\n".join(_lines(found)) + "\n"


def document(found: Why) -> dict[str, object]:
    """Plain lists and dictionaries; `format` is "patternc.why/1"."""
    return {
        "format": "patternc.why/1",
        "n": found.n,
        "query": found.query,
        "key": found.key,
        "sees": found.sees,
        "heads": [asdict(verdict) for verdict in found.verdicts],
        "path": None if found.path is None else [asdict(step) for step in found.path],
        "path_known": found.path_known,
        "layers": found.layers,
    }


def _lines(found: Why) -> Iterator[str]:
    layer = found.verdicts[0].layer
    word = "attends" if found.sees else "does not attend"
    yield f"query {found.query} {word} to key {found.key} in layer {layer}, n = {found.n:,}"
    for verdict, heads in _groups(found.verdicts):
        yield f"  {_named(heads)}: {said(verdict)}"
    yield from _path(found)


def _groups(verdicts: tuple[Verdict, ...]) -> Iterator[tuple[Verdict, list[int]]]:
    groups: dict[Verdict, list[int]] = {}
    for verdict in verdicts:
        groups.setdefault(replace(verdict, head=0), []).append(verdict.head)
    yield from groups.items()


def _named(heads: list[int]) -> str:
    if len(heads) == 1:
        return f"head {heads[0]}"
    if heads == list(range(heads[0], heads[-1] + 1)):
        return f"heads {heads[0]}-{heads[-1]}"
    return "heads " + ", ".join(map(str, heads))


def said(verdict: Verdict) -> str:
    """Which terms allow the pair, or what leaves it out."""
    if verdict.sees:
        return f"allowed by {_listed(verdict.allowed_by)}"
    if verdict.dropped_by is None:
        return "no term contains the pair"
    place = f"line {verdict.dropped_by.line}, column {verdict.dropped_by.column}"
    rule = {
        "causal": f"the header `causal` ({place}) excludes it",
        "&": f"`& {verdict.dropped_by.text}` ({place}) excludes it",
        "-": f"`- {verdict.dropped_by.text}` ({place}) removes it",
    }
    return f"{_listed(verdict.allowed_by)} would allow it, {rule[verdict.rule or '&']}"


def _listed(parts: tuple[ProgramPart, ...]) -> str:
    return " and ".join(f"`{part.text}`" for part in parts)


def _path(found: Why) -> Iterator[str]:
    if not found.path_known:
        yield "paths over layers depend on run-time inputs, or are too many to check"
    elif found.path is None:
        yield f"no path leads from the key to the query within {found.layers:,} layers"
    elif not found.path:
        yield "query and key are the same position"
    elif len(found.path) > 1 or not found.sees:
        used = found.path[0].layer + 1
        yield f"the key reaches the query after {used:,} layers:"
        yield from map(_link, _shortened(found.path[::-1]))


def _shortened(path: tuple[PathStep, ...]) -> Iterator[PathStep | None]:
    """Long paths by their ends."""
    if len(path) <= 12:
        yield from path
    else:
        yield from (*path[:4], None, *path[-4:])


def _link(step: PathStep | None) -> str:
    return "  .." if step is None else f"  layer {step.layer}: {link(step)}"


def link(step: PathStep) -> str:
    """Who takes what from whom, and by which terms."""
    query, key = _place(step.query, step.rows), _place(step.key, step.source)
    if step.head is None:
        return f"{query} takes {key}"
    return f"{query} attends to {key} (head {step.head}, {_listed(step.terms)})"


def _place(at: int, rows: str) -> str:
    """A position of the tokens, or a slot."""
    match rows:
        case "":
            return f"{at}"
        case "tree":
            return f"span {at} of the tree"
        case name:
            return f"slot {at} of `{name}`"
