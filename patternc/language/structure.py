"""The order of statements: headers, then rules of which the last covers what is left.

From a tree to its rules, with every statement out of place reported. Non-goals: what stands in the
statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from patternc.language.arithmetic import Place
from patternc.language.diagnostics import Diagnostic, Findings, Mark
from patternc.language.program import (
    Bare,
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
    StreamRows,
    Unary,
    When,
)
from patternc.language.source import Span


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The rules for the tokens' rows, those below `rows NAME`, and the rules out of place."""

    rules: tuple[Rule, ...]
    others: tuple[Rule, ...]
    misplaced: tuple[Rule, ...]


def arrange(program: Program, findings: Findings) -> Arrangement:
    """The rules in order. A program of headers alone, `causal` among them, has the rule `full`."""
    for diagnostic in _headers(program):
        findings.add(diagnostic)
    sections = [_in_order(section, findings) for section in _sections(program)]
    rules = sections[0][0] or _implied(program, findings)
    others = tuple(rule for kept, _ in sections[1:] for rule in kept)
    return Arrangement(rules, others, tuple(rule for _, late in sections for rule in late))


def _sections(program: Program) -> Iterator[list[Rule]]:
    """The rules of the tokens, then those below each `rows NAME`."""
    section: list[Rule] = []
    for statement in program.statements:
        if isinstance(statement, StreamRows):
            yield section
            section = []
        elif isinstance(statement, Bare | When | Otherwise):
            section.append(statement)
    yield section


def _implied(program: Program, findings: Findings) -> tuple[Rule, ...]:
    if any(isinstance(s, FlagHeader) and s.name == "causal" for s in program.statements):
        return (Bare(Name("full")),)
    findings.add(
        Diagnostic(
            "P020",
            "no pattern in the program",
            Span(len(program.source.text), len(program.source.text)),
            "the text ends here",
            note="a program is one pattern, or rules `CONDITION -> PATTERN`",
            help="write a pattern: `local(256) + global([0])`, say",
        )
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
            case Parameter() | Let():
                if ruled is not None:
                    word = "param" if isinstance(statement, Parameter) else "let"
                    yield _late(word, statement.span, ruled.span)
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
    return Diagnostic(
        "P025",
        "a rule after a pattern without condition",
        rule.span,
        "never reached",
        note="a program is one bare pattern, or rules of which the last is `else -> PATTERN`",
        help="write `else -> ` before the bare pattern, and move it to the end",
        marks=(Mark(last.span, "this holds for every layer and head"),),
    )


def second_pattern(rule: Bare, last: Rule) -> Diagnostic:
    signed = isinstance(rule.pattern, Unary)
    return Diagnostic(
        "P004",
        "the line above is complete",
        rule.span,
        "this line cannot go on with it" if signed else "a second pattern",
        note="a statement ends at the end of its line, except inside brackets",
        help="put brackets round the whole pattern, or join the two by `+`",
        marks=(Mark(last.span, "the program's pattern"),),
    )


def _after_else(rule: Rule, last: Otherwise) -> Diagnostic:
    return Diagnostic(
        "P025",
        "a rule after `else`",
        rule.span,
        "never reached",
        note="the first rule that matches counts, and `else` always matches",
        help="move it above `else`",
        marks=(Mark(last.span, "this covers what is left"),),
    )


def _idle_else(rule: Otherwise) -> Diagnostic:
    return Diagnostic(
        "P026",
        "`else` without a rule before it",
        rule.span,
        "nothing is left out",
        help="write the pattern alone, without `else ->`",
    )


def _no_arrow(rule: Bare) -> Diagnostic:
    return Diagnostic(
        "P026",
        "a bare pattern among rules",
        rule.span,
        "for which layers and heads?",
        note="a program is one bare pattern, or rules of which the last is `else -> PATTERN`",
        help="write `else -> ` before it",
    )


def without_else(last: When, uncovered: Place | None) -> Diagnostic:
    """Rules that leave a (layer, head) out, or whose last one has a condition."""
    where = uncovered.where().removeprefix("at ") if uncovered is not None else ""
    return Diagnostic(
        "P024",
        "the rules do not end with `else`",
        last.span,
        f"{where} has no rule" if uncovered is not None else "the last rule has a condition",
        note="every layer and head has a rule, so the last one is `else -> PATTERN`",
        help="add `else -> none`, or another pattern"
        if uncovered is not None
        else "write `else` in place of the last condition",
    )


def _twice(name: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        "P021",
        f"the header `{name}` is given twice",
        span,
        "given again",
        note="every header stands at most once",
        help="leave one of them out",
        marks=(Mark(first, "first given here"),),
    )


def _late(name: str, span: Span, rule: Span) -> Diagnostic:
    return Diagnostic(
        "P022",
        f"`{name}` after the first rule",
        span,
        "too late",
        note="headers, `param` and `let` stand before the first rule",
        help="move it above the first rule",
        marks=(Mark(rule, "the first rule"),),
    )
