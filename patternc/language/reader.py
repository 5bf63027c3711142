"""Text to syntax tree.

The only importer of Lark, which reads `grammar/pattern.lark` (LALR, contextual lexer). Newlines
inside brackets are dropped before the parser sees them. A statement that cannot be read is reported
and blanked, so that one run reports the mistakes of several statements. Non-goals: names and types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.lark import PostLex

from patternc.language import program as ast
from patternc.language.diagnostics import Diagnostic, PatternError
from patternc.language.formula import CompareOperator
from patternc.language.mistakes import Bracket, Trouble, describe
from patternc.language.source import Source, Span
from patternc.resources import read

# A deeper tree is not a program that anyone wrote, and every later stage may recurse.
_DEEPEST = 100
_MOST_ERRORS = 20
# Python refuses to read longer ones.
_MOST_DIGITS = 4000
_OPENING = {"LPAR": "(", "LSQB": "[", "LBRACE": "{"}
_CLOSING = {"RPAR", "RSQB", "RBRACE"}

_Part = Token | ast.Argument | ast.Range | ast.Node | ast.Statement | None


class _Newlines(PostLex):
    """Drops newlines inside brackets and remembers the brackets that are open."""

    always_accept = ("_NEWLINE",)

    def __init__(self) -> None:
        self.open: list[Bracket] = []

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        self.open = []
        for token in stream:
            if token.type != "_NEWLINE" or not self.open:
                yield token
            # After the yield: a bracket that the parser refuses does not count.
            if token.type in _OPENING:
                self.open.append(Bracket(_OPENING[token.type], _span_of(token)))
            elif token.type in _CLOSING:
                self.open.pop()


@cache
def _parser() -> tuple[Lark, _Newlines]:
    newlines = _Newlines()
    lark = Lark(
        read("grammar", "pattern.lark"),
        parser="lalr",
        lexer="contextual",
        postlex=newlines,
        propagate_positions=True,
        maybe_placeholders=True,
    )
    return lark, newlines


def parse(text: str, name: str = "<pattern>") -> ast.Program:
    """The syntax tree of a program; raises `PatternError` with every unreadable statement."""
    source = Source.of(text, name)
    found: list[Diagnostic] = []
    rest = source.text + "\n"
    while True:
        outcome = _attempt(rest)
        if not isinstance(outcome, Trouble):
            break
        found.append(describe(outcome, source))
        blanked = _without_statement(rest, source, outcome)
        if blanked is None or len(found) == _MOST_ERRORS:
            break
        rest = blanked
    if found:
        raise PatternError(found, source)
    return _program(cast("Tree[Token]", outcome), source)


def _attempt(text: str) -> Tree[Token] | Trouble:
    lark, newlines = _parser()
    try:
        return lark.parse(text)
    except UnexpectedToken as error:
        token, expected = error.token, error.accepts or error.expected
        span = _span_of(token) if token.type != "$END" else Span(len(text) - 1, len(text) - 1)
        return Trouble(span, token.type, frozenset(expected), tuple(newlines.open))
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        return Trouble(
            Span(place, place + 1), "", frozenset(error.allowed or ()), tuple(newlines.open)
        )


def _without_statement(text: str, source: Source, trouble: Trouble) -> str | None:
    """The text with the statement at fault blanked; None where its end cannot be told."""
    if trouble.open:
        return None
    line = source.line_span(source.position(trouble.span.start)[0])
    return text[: line.start] + " " * (line.stop - line.start) + text[line.stop :]


def _span_of(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _program(tree: Tree[Token], source: Source) -> ast.Program:
    """Builds bottom-up without recursion; the depth of every part is known before it is used."""
    built: dict[int, _Part] = {}
    depth: dict[int, int] = {}
    for subtree in tree.iter_subtrees():
        if subtree is tree:
            continue
        below = [child for child in subtree.children if isinstance(child, Tree)]
        depth[id(subtree)] = 1 + max((depth[id(child)] for child in below), default=0)
        span = Span(subtree.meta.start_pos, subtree.meta.end_pos)
        if depth[id(subtree)] > _DEEPEST:
            raise PatternError([_too_deep(span)], source)
        if subtree.data == "number" and len(str(subtree.children[0])) > _MOST_DIGITS:
            raise PatternError([_too_long(span)], source)
        parts = [
            built[id(child)] if isinstance(child, Tree) else child for child in subtree.children
        ]
        built[id(subtree)] = _BUILDERS[str(subtree.data)](parts, span)
    statements = [cast(ast.Statement, built[id(child)]) for child in tree.children]
    return ast.Program(_headers_named(statements, source), source)


def _too_deep(span: Span) -> Diagnostic:
    return Diagnostic(
        "P005",
        "nested too deeply",
        span,
        f"more than {_DEEPEST} levels",
        note="brackets and chains of operators nest at most this deep",
        help="name parts of it with `let`",
    )


def _too_long(span: Span) -> Diagnostic:
    return Diagnostic(
        "P104",
        "an integer beyond 63 bits",
        span,
        f"more than {_MOST_DIGITS} digits",
        help="write a smaller number",
    )


def _headers_named(statements: list[ast.Statement], source: Source) -> tuple[ast.Statement, ...]:
    """Lines that read as patterns but are headers: `causal`, `query_pool(..)`, `unfold(..)`."""
    named: list[ast.Statement] = []
    ruled = False
    for statement in statements:
        if isinstance(statement, ast.Bare) and not ruled:
            statement = _as_header(statement, source)
        ruled = ruled or isinstance(statement, ast.Bare | ast.When | ast.Otherwise)
        named.append(statement)
    return tuple(named)


def _as_header(statement: ast.Bare, source: Source) -> ast.Statement:
    match statement.pattern:
        case ast.Name("causal") if source.slice(statement.span) == "causal":
            return ast.FlagHeader("causal", statement.span)
        case ast.Call("query_pool" | "unfold") as call if call.span == statement.span:
            return ast.CallHeader(call, statement.span)
        case _:
            return statement


_Builder = Callable[[list[_Part], Span], _Part]


def _number(parts: list[_Part], span: Span) -> ast.Number:
    return ast.Number(int(str(parts[0])), span)


def _binary(parts: list[_Part], span: Span) -> ast.Binary:
    left, operator, right = parts
    word = cast(ast.BinaryOperator, str(operator))
    return ast.Binary(word, cast(ast.Node, left), cast(ast.Node, right), span)


def _comparison(parts: list[_Part], span: Span) -> ast.Comparison:
    operands = tuple(cast(ast.Node, part) for part in parts[::2])
    operators = tuple(cast(CompareOperator, str(part)) for part in parts[1::2])
    return ast.Comparison(operands, operators, span)


def _call(parts: list[_Part], span: Span) -> ast.Call:
    word, *arguments = parts
    given = tuple(cast(ast.Argument, part) for part in arguments if part is not None)
    return ast.Call(str(word), given, span)


def _named_argument(parts: list[_Part], span: Span) -> ast.Argument:
    return ast.Argument(str(parts[0]), cast(ast.Node, parts[1]), span)


def _sequence(parts: list[_Part], span: Span) -> ast.Sequence:
    return ast.Sequence(tuple(cast(ast.Node, part) for part in parts if part is not None), span)


def _bound(parts: list[_Part], span: Span) -> tuple[str, ast.Node, Span, Span]:
    name, value = cast(Token, parts[0]), cast(ast.Node, parts[1])
    return str(name), value, span, _span_of(name)


def _node(part: _Part) -> ast.Node:
    return cast(ast.Node, part)


_BUILDERS: dict[str, _Builder] = {
    "word": lambda parts, span: parts[0],
    "callee": lambda parts, span: parts[0],
    "name": lambda parts, span: ast.Name(str(parts[0]), span),
    "number": _number,
    "decimal": lambda parts, span: ast.Decimal(str(parts[0]), span),
    "unary": lambda parts, span: ast.Unary(
        cast(ast.UnaryOperator, str(parts[0])), _node(parts[1]), span
    ),
    "binary": _binary,
    "comparison_chain": _comparison,
    "call": _call,
    "argument": lambda parts, span: ast.Argument(None, _node(parts[0]), span),
    "named_argument": _named_argument,
    "lift": lambda parts, span: ast.Lift(cast(ast.Call, parts[0]), _node(parts[1]), span),
    "sequence": _sequence,
    "range": lambda parts, span: ast.Range(
        cast("ast.Node | None", parts[0]), cast("ast.Node | None", parts[2]), span
    ),
    "heads": lambda parts, span: ast.CountHeader("heads", _node(parts[0]), span),
    "layers": lambda parts, span: ast.CountHeader("layers", _node(parts[0]), span),
    "allow_empty": lambda parts, span: ast.FlagHeader("allow empty", span),
    "param": lambda parts, span: ast.Parameter(*_bound(parts, span)),
    "let": lambda parts, span: ast.Let(*_bound(parts, span)),
    "stream_rows": lambda parts, span: ast.StreamRows(str(parts[0]), span),
    "when": lambda parts, span: ast.When(_node(parts[0]), _node(parts[2]), span),
    "otherwise": lambda parts, span: ast.Otherwise(_node(parts[1]), span),
    "bare": lambda parts, span: ast.Bare(_node(parts[0]), span),
}
