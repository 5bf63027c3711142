"""The order of statements: headers, then rules of which the last covers what is left.

Converts a tree to its rules, with every statement out of place reported. Does not look inside the
statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from patternc.language.check.environment import Environment
from patternc.language.syntax.ast import (
    Bare,
    Call,
    CallHeader,
    CountHeader,
    FlagHeader,
    Header,
    Let,
    Name,
    Otherwise,
    Parameter,
    Program,
    Rule,
    Size,
    Stage,
    StreamRows,
    Unary,
    When,
    nodes_of,
    walk,
)
from patternc.language.syntax.diagnostics import Diagnostic, Findings, Mark
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span
from patternc.language.syntax.spelling import nearest


@dataclass(frozen=True)
class ProgramStructure:
    """The rules for the tokens' rows, those below each `rows NAME`, and the rules out of place."""

    rules: tuple[Rule, ...]
    others: dict[str, tuple[Rule, ...]]
    misplaced: tuple[Rule, ...]

    @cached_property
    def _sections(self) -> dict[int, str]:
        every = {"": self.rules, **self.others}
        return {id(rule): name for name, rules in every.items() for rule in rules}

    def section_of(self, rule: Rule) -> str | None:
        """Whose rows a rule is for, empty for the tokens'; None where it is out of place."""
        return self._sections.get(id(rule))


def structure_of(program: Program, findings: Findings) -> ProgramStructure:
    """The rules in order. A program of headers alone, `causal` among them, has the rule `full`."""
    for found in _headers(program):
        findings.add(found)
    (_, first), *rest = (
        (rows, _in_order(section, findings)) for rows, section in _sections(program)
    )
    rules, misplaced = first[0] or _implied(program, findings), first[1]
    others: dict[str, tuple[Rule, ...]] = {}
    begun: dict[str, StreamRows] = {}
    for rows, (kept, late) in rest:
        assert rows is not None
        problem = _section_problem(rows, kept, begun, program)
        if problem is None:
            others[rows.name], misplaced = kept, misplaced + late
        else:
            findings.add(problem)
            misplaced += kept + late
        begun.setdefault(rows.name, rows)
    return ProgramStructure(rules, others, misplaced)


def _sections(program: Program) -> Iterator[tuple[StreamRows | None, list[Rule]]]:
    """The rules of the tokens, then those below each `rows NAME`."""
    rows: StreamRows | None = None
    section: list[Rule] = []
    for statement in program.statements:
        if isinstance(statement, StreamRows):
            yield rows, section
            rows, section = statement, []
        elif isinstance(statement, Bare | When | Otherwise):
            section.append(statement)
    yield rows, section


def _section_problem(
    rows: StreamRows, rules: tuple[Rule, ...], begun: dict[str, StreamRows], program: Program
) -> Diagnostic | None:
    known = stream_names(program)
    if rows.name not in known:
        return _no_stream(rows, known)
    if rows.name in begun:
        return _rows_twice(rows, begun[rows.name])
    return None if rules else _no_rules(rows)


def stream_names(program: Program) -> tuple[str, ...]:
    """The streams of a program in the order of the text."""
    parts = (part for s in program.statements for root in nodes_of(s) for part in walk(root))
    calls = (part for part in parts if isinstance(part, Call) and part.function == "stream")
    names = (a.value.name for call in calls for a in call.arguments if isinstance(a.value, Name))
    return tuple(dict.fromkeys(names))


def _no_stream(rows: StreamRows, known: tuple[str, ...]) -> Diagnostic:
    if rows.name == "tree":
        return diagnostic("P027.rows_tree", rows.span)
    near = nearest(rows.name, known)
    return diagnostic("P027.unknown_stream", rows.span, name=rows.name, near=near)


def _rows_twice(rows: StreamRows, first: StreamRows) -> Diagnostic:
    return diagnostic(
        "P028.rows_twice", rows.span, (Mark(first.span, "first given here"),), name=rows.name
    )


def _no_rules(rows: StreamRows) -> Diagnostic:
    return diagnostic("P029.no_rules", rows.span, name=rows.name)


def _implied(program: Program, findings: Findings) -> tuple[Rule, ...]:
    if any(isinstance(s, FlagHeader) and s.name == "causal" for s in program.statements):
        return (Bare(Name("full")),)
    findings.add(
        diagnostic("P020.no_pattern", Span(len(program.source.text), len(program.source.text)))
    )
    return ()


def _headers(program: Program) -> Iterator[Diagnostic]:
    first: dict[str, Header] = {}
    ruled: Rule | StreamRows | None = None
    for statement in program.statements:
        match statement:
            case CountHeader() | FlagHeader() | CallHeader():
                name = header_name(statement)
                if name in first:
                    yield _twice(name, statement.span, first[name].span)
                elif ruled is not None:
                    yield _late(name, statement.span, ruled.span)
                first.setdefault(name, statement)
            case Parameter() | Let() | Size():
                if ruled is not None:
                    word = {Parameter: "param", Let: "let", Size: "size"}[type(statement)]
                    yield _late(word, statement.span, ruled.span)
            case Stage():
                pass
            case _:
                ruled = ruled or statement


def header_name(header: Header) -> str:
    return header.call.function if isinstance(header, CallHeader) else header.name


def _in_order(rules: list[Rule], findings: Findings) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules up to the one that covers the rest, and what follows it."""
    last = next((k for k, rule in enumerate(rules) if not isinstance(rule, When)), len(rules))
    kept, late = tuple(rules[: last + 1]), tuple(rules[last + 1 :])
    for rule in late:
        findings.add(_after(rule, kept[-1]))
    match kept:
        case (Otherwise() as only,):
            findings.add(_idle_else(only))
        case (_, *_, Bare() as bare):
            findings.add(_no_arrow(bare))
        case _:
            pass
    return kept, late


def _after(rule: Rule, last: Rule) -> Diagnostic:
    if isinstance(rule, Bare) and rule.pattern == Name("causal"):
        return _late("causal", rule.span, last.span)
    if isinstance(last, Otherwise):
        return _after_else(rule, last)
    if isinstance(rule, Bare):
        return second_pattern(rule, last)
    return diagnostic(
        "P025.after_bare_pattern",
        rule.span,
        (Mark(last.span, "this holds for every layer and head"),),
    )


def second_pattern(rule: Bare, last: Rule) -> Diagnostic:
    signed = isinstance(rule.pattern, Unary)
    return diagnostic(
        "P004.second_pattern",
        rule.span,
        (Mark(last.span, "the program's pattern"),),
        signed=signed,
    )


def _after_else(rule: Rule, last: Otherwise) -> Diagnostic:
    return diagnostic(
        "P025.after_else",
        rule.span,
        (Mark(last.span, "this matches every remaining layer and head"),),
    )


def _idle_else(rule: Otherwise) -> Diagnostic:
    return diagnostic("P026.idle_else", rule.span)


def _no_arrow(rule: Bare) -> Diagnostic:
    return diagnostic("P026.no_arrow", rule.span)


def without_else(last: When, uncovered: Environment | None) -> Diagnostic:
    """Rules that leave a (layer, head) out, or whose last one has a condition."""
    where = uncovered.where().removeprefix("at ") if uncovered is not None else ""
    return diagnostic("P024.without_else", last.span, uncovered=uncovered is not None, where=where)


def _twice(name: str, span: Span, first: Span) -> Diagnostic:
    return diagnostic("P021.header_twice", span, (Mark(first, "first given here"),), name=name)


def _late(name: str, span: Span, rule: Span) -> Diagnostic:
    return diagnostic("P022.after_rules", span, (Mark(rule, "the first rule"),), name=name)
