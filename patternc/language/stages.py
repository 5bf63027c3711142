"""Programs of stages: each a program of its own, with where its states and keys come from.

Converts a text with lines `stage NAME` to the texts of its stages, in which all else is blank, so
that places in messages are those of the whole. Checks how stages are joined; what a stage holds is
checked as any program is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from patternc.frozen import frozen
from patternc.ir.stages import QueryOperation, QueryPool, QueryTail, Unfold
from patternc.language import parse
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.constants import EvaluationError
from patternc.language.elaborate.elaborate import Elaborated, elaborate
from patternc.language.syntax.ast import (
    Bare,
    Call,
    CallHeader,
    Let,
    Name,
    Otherwise,
    Parameter,
    Program,
    Stage,
    Statement,
    StreamRows,
    When,
    nodes_of,
    walk,
)
from patternc.language.syntax.diagnostics import Diagnostic, Mark, PatternError
from patternc.language.syntax.messages import diagnostic

TOKENS = "tokens"


@frozen
class StageProgram:
    """One stage: the text of its pattern, and what its rows and its other keys are.

    `states` and `encoder` name stages above it, or sequences that the model is given.
    """

    name: str
    states: str
    encoder: str | None
    text: str
    parameters: dict[str, int | str]
    query_pool: QueryPool | None
    unfold: Unfold | None


def stage_text(text: str, name: str, source: str = "<pattern>") -> str:
    """The text of one stage alone, with what all stages share. Raises `PatternError`."""
    program = parse(text, source)
    shared, sections = _sections(program)
    chosen = next((own for stage, own in sections if stage.name == name), None)
    if chosen is None:
        known = ", ".join(stage.name for stage, _ in sections) or "none"
        raise PatternError([diagnostic("P032.unknown", name=name, listed=known)], program.source)
    return _alone(program, (*_asked_of(shared, chosen), *chosen))


def has_stages(text: str, name: str = "<pattern>") -> bool:
    """Is this a program of stages? False for what cannot be parsed."""
    try:
        return any(isinstance(each, Stage) for each in parse(text, name).statements)
    except PatternError:
        return False


def stages_of(
    text: str, name: str = "<pattern>", parameters: Mapping[str, int | str] | None = None
) -> tuple[StageProgram, ...]:
    """The stages of a program in order. Raises `PatternError`."""
    program, given = parse(text, name), dict(parameters or {})
    shared, sections = _sections(program)
    found = list(_misjoined(shared, sections))
    if found:
        raise PatternError(found, program.source)
    before: list[str] = []
    stages = []
    declared = {each.name for each in program.statements if isinstance(each, Parameter)}
    for stage, own in sections:
        states = stage.states or (before[-1] if before else TOKENS)
        statements = (*_asked_of(shared, own), *own)
        # What no stage declares is refused by the first.
        known = {each.name for each in statements if isinstance(each, Parameter)}
        if not before:
            known |= given.keys() - declared
        parameters = {name: value for name, value in given.items() if name in known}
        stages.append(_stage(program, stage, statements, states, parameters))
        before.append(stage.name)
    return tuple(stages)


def _sections(
    program: Program,
) -> tuple[tuple[Statement, ...], list[tuple[Stage, tuple[Statement, ...]]]]:
    """What stands above the first stage, and each stage with what stands below it."""
    shared: list[Statement] = []
    sections: list[tuple[Stage, list[Statement]]] = []
    for statement in program.statements:
        if isinstance(statement, Stage):
            sections.append((statement, []))
        else:
            (sections[-1][1] if sections else shared).append(statement)
    return tuple(shared), [(stage, tuple(own)) for stage, own in sections]


def _asked_of(shared: Sequence[Statement], own: Sequence[Statement]) -> list[Statement]:
    """What stands above all stages, without names that this one does not ask for."""
    kept: list[Statement] = []
    asked = _names_in(own)
    for statement in reversed(shared):
        if isinstance(statement, Let | Parameter) and statement.name not in asked:
            continue
        asked |= _names_in([statement])
        kept.insert(0, statement)
    return kept


def _names_in(statements: Iterable[Statement]) -> set[str]:
    calls = (each.call for each in statements if isinstance(each, CallHeader))
    roots = (*(root for each in statements for root in nodes_of(each)), *calls)
    return {part.name for root in roots for part in walk(root) if isinstance(part, Name)}


def _misjoined(
    shared: Sequence[Statement], sections: Sequence[tuple[Stage, Sequence[Statement]]]
) -> Iterator[Diagnostic]:
    if not sections:
        yield diagnostic("P032.none")
    for statement in shared:
        if isinstance(statement, Bare | When | Otherwise | StreamRows | CallHeader):
            yield diagnostic("P032.early_rule", statement.span)
    names = [stage.name for stage, _ in sections]
    first: dict[str, Stage] = {}
    for number, (stage, own) in enumerate(sections):
        if stage.name in first:
            marks = (Mark(first[stage.name].span, "first given here"),)
            yield diagnostic("P032.twice", stage.span, marks, name=stage.name)
        first.setdefault(stage.name, stage)
        for given in (stage.states, stage.encoder):
            if given in names[number:]:
                yield diagnostic("P032.later", stage.span, name=given)
        calls = [each for each in own if isinstance(each, CallHeader)]
        if len({each.call.function for each in calls}) > 1:
            yield diagnostic("P032.both", calls[-1].span)


def _stage(
    program: Program,
    stage: Stage,
    statements: tuple[Statement, ...],
    states: str,
    parameters: dict[str, int | str],
) -> StageProgram:
    found = elaborate(Program(statements, program.source), parameters, staged=True)
    calls = {each.call.function: each.call for each in statements if isinstance(each, CallHeader)}
    try:
        pooled = _query_pool(calls["query_pool"], found) if "query_pool" in calls else None
        windows = _unfold(calls["unfold"], found, program) if "unfold" in calls else None
    except EvaluationError as fault:
        raise PatternError([fault.diagnostic], program.source) from fault
    asked = _asks_encoder(statements)
    problem = _keys_problem(stage, states, asked, pooled, windows)
    if problem is not None:
        raise PatternError([problem], program.source)
    encoder = stage.encoder or (states if pooled and asked else None)
    text = _alone(program, statements)
    return StageProgram(stage.name, states, encoder, text, parameters, pooled, windows)


def _keys_problem(
    stage: Stage, states: str, asked: bool, pooled: QueryPool | None, windows: Unfold | None
) -> Diagnostic | None:
    """Pooled rows have the states before pooling for keys, unless others are given."""
    if windows is not None and (asked or stage.encoder):
        return diagnostic("P032.windows_with_keys", stage.span)
    if asked and stage.encoder is None and pooled is None:
        return diagnostic("P032.no_keys", stage.span, name=stage.name, states=states)
    if stage.encoder is not None and not asked:
        return diagnostic("P032.idle_keys", stage.span, name=stage.name, keys=stage.encoder)
    return None


def _asks_encoder(statements: Iterable[Statement]) -> bool:
    nodes = (root for each in statements for root in nodes_of(each))
    return any(part == Name("encoder") for root in nodes for part in walk(root))


def _bound(call: Call, found: Elaborated) -> BoundArguments:
    return BoundArguments.of(call, found.place())


def _query_pool(call: Call, found: Elaborated) -> QueryPool:
    given = _bound(call, found)
    size = given.count("k", 1)
    operation = cast(QueryOperation, given.word("op"))
    tail = cast(QueryTail, given.word("tail") or "clip")
    return QueryPool(size, operation, given.count("stride", size), given.count("apart", 0), tail)


def _unfold(call: Call, elaborated: Elaborated, program: Program) -> Unfold:
    given = _bound(call, elaborated)
    size, margin = given.count("c", 1), given.count("margin", 0)
    if size <= 2 * margin:
        most = -(-size // 2)
        found = diagnostic("P032.nothing_kept", call.span, size=size, margin=margin, most=most)
        raise PatternError([found], program.source)
    return Unfold(size, margin)


def _alone(program: Program, statements: Sequence[Statement]) -> str:
    """The text with all other statements, and the headers of stages, blank."""
    kept = {id(each) for each in statements if not isinstance(each, CallHeader)}
    text = program.source.text
    for statement in program.statements:
        if id(statement) not in kept:
            span = statement.span
            blank = re.sub(r"[^\r\n]", " ", text[span.start : span.stop])
            text = text[: span.start] + blank + text[span.stop :]
    return re.sub(r"[ \t]+(?=\r|\n|$)", "", text)
