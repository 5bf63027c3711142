"""Syntax tree to text, such that reading the text gives the tree again.

One statement a line, brackets only where the shape of the tree needs them. Comments and line breaks
are kept by `formatter` only.
"""

from __future__ import annotations

from typing import assert_never

from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    BinaryOperator,
    Call,
    CallHeader,
    Comparison,
    CountHeader,
    Decimal,
    FlagHeader,
    Let,
    Lift,
    Name,
    Node,
    Number,
    Otherwise,
    Parameter,
    Program,
    Range,
    Reading,
    Sequence,
    Size,
    Stage,
    Statement,
    StreamRows,
    Unary,
    UnaryOperator,
    When,
)

# Loosest first; the ladder of the grammar.
_OR, _AND, _NOT, _COMPARE, _SUM, _MEET, _ATTACHED, _PRODUCT, _UNARY, _POWER, _ATOM = range(11)
_LEVEL: dict[BinaryOperator, int] = {
    "or": _OR,
    "and": _AND,
    "+": _SUM,
    "-": _SUM,
    "&": _MEET,
    "on": _ATTACHED,
    "with": _ATTACHED,
    "*": _PRODUCT,
    "//": _PRODUCT,
    "%": _PRODUCT,
    "**": _POWER,
}
_UNARY_LEVEL: dict[UnaryOperator, int] = {"not": _NOT, "-": _UNARY, "~": _UNARY}


def show(program: Program) -> str:
    """The text of a program, one statement a line."""
    lines: list[str] = []
    ruled = False
    for statement in program.statements:
        lines.append(_bare(statement, ruled) if isinstance(statement, Bare) else _line(statement))
        ruled = ruled or isinstance(statement, Bare | When | Otherwise)
        ruled = ruled and not isinstance(statement, Stage)
    return "".join(line + "\n" for line in lines)


def _bare(statement: Bare, ruled: bool) -> str:
    """A pattern alone; in brackets where the line would be a header without."""
    text = show_node(statement.pattern)
    match statement.pattern:
        case Name("causal") | Call("query_pool" | "unfold") if not ruled:
            return f"({text})"
        case _:
            return text


def _line(statement: Statement) -> str:
    match statement:
        case CountHeader(name, value):
            return f"{name} {_count(value)}"
        case FlagHeader(name):
            return name
        case CallHeader(call):
            return show_node(call)
        case Parameter(name, value):
            return f"param {name} = {show_node(value)}"
        case Let(name, value):
            return f"let {name} = {show_node(value)}"
        case Stage(name, states, encoder):
            given = [part for part in (states, encoder) if part]
            return f"stage {name}" + (f" from {', '.join(given)}" if given else "")
        case Size(name):
            return f"size {name}"
        case StreamRows(name):
            return f"rows {name}"
        case When(condition, pattern):
            return f"{show_node(condition)} -> {show_node(pattern)}"
        case Otherwise(pattern):
            return f"else -> {show_node(pattern)}"
        case Bare(pattern):
            return show_node(pattern)
        case _:
            assert_never(statement)


def _count(value: Node) -> str:
    text = show_node(value)
    plain = isinstance(value, Number | Name) and text not in ("heads", "layers", "rows")
    return text if plain else f"({text})"


def show_node(node: Node | Range) -> str:
    """The text of a part of a program."""
    match node:
        case Number(value):
            return str(value)
        case Decimal(text):
            return text
        case Name(name):
            return name
        case Range(start, stop):
            return _range(start, stop)
        case Sequence(items):
            return f"[{', '.join(show_node(item) for item in items)}]"
        case Call(function, arguments):
            return f"{function}({', '.join(_argument(argument) for argument in arguments)})"
        case Reading(name, position):
            return f"{show_node(name)}[{show_node(position)}]"
        case Lift(call, body):
            return f"{show_node(call)} {{ {show_node(body)} }}"
        case Unary(operator, operand):
            space = " " if operator == "not" else ""
            return operator + space + _operand(operand, _UNARY_LEVEL[operator])
        case Binary(operator, left, right):
            return _binary(operator, left, right)
        case Comparison(operands, operators):
            first, *rest = (_operand(operand, _SUM) for operand in operands)
            pairs = zip(operators, rest, strict=True)
            return first + "".join(f" {operator} {text}" for operator, text in pairs)
        case _:
            assert_never(node)


def _binary(operator: BinaryOperator, left: Node, right: Node) -> str:
    level = _LEVEL[operator]
    if operator == "**":
        return f"{_operand(left, _ATOM)} ** {_operand(right, _UNARY)}"
    return f"{_operand(left, level)} {operator} {_operand(right, level + 1)}"


def _operand(node: Node, level: int) -> str:
    text = show_node(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> int:
    match node:
        case Binary(operator):
            return _LEVEL[operator]
        case Unary(operator):
            return _UNARY_LEVEL[operator]
        case Comparison():
            return _COMPARE
        case _:
            return _ATOM


def _argument(argument: Argument) -> str:
    value = show_node(argument.value)
    return value if argument.name is None else f"{argument.name}={value}"


def _range(start: Node | None, stop: Node | None) -> str:
    """`a:b`, with spaces around the colon where an end is more than a word."""
    ends = [show_node(end) if end is not None else "" for end in (start, stop)]
    simple = all(" " not in end for end in ends)
    return ":".join(ends) if simple else " : ".join(ends).strip()
