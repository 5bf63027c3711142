"""Parameters given at call time, in place of the values that the program has.

Converts `name=value` to the program with those values. A value is an integer, or the text of what
could appear behind `param name =`: numbers, functions, and the parameters and counts above. Their
values are computed with those of the other headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import index

from patternc.algebra.value_bounds import READ
from patternc.language.check.program_structure import structure_of
from patternc.language.check.statements import check_statements
from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    Call,
    CountHeader,
    Name,
    Node,
    Number,
    Parameter,
    Program,
    Size,
    Statement,
    Unary,
    node_of,
)
from patternc.language.syntax.diagnostics import Diagnostic, Findings, PatternError
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span
from patternc.language.syntax.spelling import nearest


def overridden(
    program: Program,
    given: Mapping[str, int | str],
    whole: Program,
    findings: Findings,
) -> Program:
    """The program with the parameters given at call time in place of its own values.

    A size that is given is a parameter of the program, no longer of each call.
    """
    program, whole = (_with_sizes(one, given) for one in (program, whole))
    known = {s.name: s for s in whole.statements if isinstance(s, Parameter)}
    values: dict[str, Node] = {}
    for name, value in given.items():
        if name not in known:
            findings.add(_unknown(name, list(known)))
        elif (node := _node(value, known[name], whole)) is None:
            findings.add(_no_value(name, value))
        else:
            values[name] = node
    return replace(program, statements=tuple(_override(s, values) for s in program.statements))


def _with_sizes(program: Program, given: Mapping[str, int | str]) -> Program:
    """The program with the sizes that are given as parameters."""
    return replace(
        program,
        statements=tuple(
            Parameter(s.name, Number(0, s.name_span), s.span, s.name_span)
            if isinstance(s, Size) and s.name in given
            else s
            for s in program.statements
        ),
    )


def negative_sizes(program: Program, values: Mapping[str, int]) -> Iterator[Diagnostic]:
    """Sizes of the program that are given as less than 0, or beyond what a call takes."""
    for statement in program.statements:
        value = values.get(statement.name, 0) if isinstance(statement, Size) else 0
        if isinstance(statement, Size) and not 0 <= value <= READ[1]:
            yield diagnostic("P031.size", name=statement.name, value=value)


def _override(statement: Statement, values: Mapping[str, Node]) -> Statement:
    if not isinstance(statement, Parameter) or statement.name not in values:
        return statement
    return replace(statement, value=_placed(values[statement.name], statement.value.span))


def _node(value: int | str, parameter: Parameter, program: Program) -> Node | None:
    """What a value says; None where it could not appear behind `param name =`."""
    if isinstance(value, str):
        return _read(value, parameter, program)
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    return None if number is None else _integer(number)


def _integer(number: int) -> Node:
    return Unary("-", Number(-number)) if number < 0 else Number(number)


def _read(text: str, parameter: Parameter, program: Program) -> Node | None:
    from patternc.language.syntax.parser import parse

    try:
        statements = parse(f"param {parameter.name} = {text}\nfull").statements
    except PatternError:
        return None
    match statements:
        case (Parameter(value=node), Bare()) if _is_sound(node, parameter, program):
            return node
        case _:
            return None


def _is_sound(node: Node, parameter: Parameter, program: Program) -> bool:
    """Whether the parameter's own line might hold the value."""
    above = program.statements[: program.statements.index(parameter)]
    seen: Sequence[Statement] = [s for s in above if isinstance(s, Parameter | CountHeader)]
    line = replace(program, statements=(*seen, replace(parameter, value=node), Bare(Name("full"))))
    plain, found = Findings(), Findings()
    own = replace(program, statements=(*seen, parameter, Bare(Name("full"))))
    for tried, findings in ((own, plain), (line, found)):
        check_statements(tried, structure_of(tried, findings), findings)
    # Mistakes of the lines above are reported where they stand.
    return found.count <= plain.count and _is_plain(node)


def _is_plain(node: Node) -> bool:
    """Whether all of it is made of what integers are made of."""
    match node:
        case Number() | Name():
            return True
        case Unary(_, operand):
            return _is_plain(operand)
        case Binary(_, left, right):
            return _is_plain(left) and _is_plain(right)
        case Call(_, arguments):
            return all(_is_plain(node_of(argument)) for argument in arguments)
        case _:
            return False


def _placed(node: Node, span: Span) -> Node:
    """The value where the program's own stands, so that messages point there."""
    match node:
        case Unary(_, operand):
            return replace(node, operand=_placed(operand, span), span=span)
        case Binary(_, left, right):
            return replace(node, left=_placed(left, span), right=_placed(right, span), span=span)
        case Call(_, arguments):
            parts = (_placed(node_of(argument), span) for argument in arguments)
            return replace(node, arguments=tuple(Argument(None, p, span) for p in parts), span=span)
        case _:
            return replace(node, span=span)


def _unknown(name: str, known: list[str]) -> Diagnostic:
    near = nearest(name, known)
    listed = ", ".join(f"`{one}`" for one in known) or "none"
    return diagnostic("P030.unknown", name=name, listed=listed, near=near)


def _no_value(name: str, value: int | str) -> Diagnostic:
    return diagnostic("P031.no_value", name=name, value=value)
