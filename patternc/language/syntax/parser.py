"""Text to syntax tree.

The only importer of Lark, which reads `grammar/pattern.lark` (LALR, contextual lexer). Newlines
inside brackets are dropped before the parser sees them. A statement that cannot be read is reported
and blanked, so that one run reports the mistakes of several statements. Does not resolve names or
types.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import cast

import lark
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.lark import PostLex

from patternc.cache import usable_folder
from patternc.ir.formula import CompareOperator
from patternc.language.syntax import ast
from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.limits import DIGITS, LIST_ITEMS, NESTING, WORDS
from patternc.language.syntax.source import SourceText, Span
from patternc.language.syntax.syntax_errors import Bracket, ParseFailure, describe
from patternc.language.syntax.text_limits import (
    bounded,
    too_deep,
    too_long_list,
    too_long_number,
    too_many_words,
)
from patternc.resources import read

_MOST_ERRORS = 20
# A text is read again after every mistake, as far as that takes no long time.
_MOST_READ = 2_000_000
_OPENING = {"LPAR": "(", "LSQB": "[", "LBRACE": "{"}
_CLOSING = {"RPAR", "RSQB", "RBRACE"}

# A number, perhaps with a range's end.
_LISTED = re.compile(r"(-?)([0-9_]+)(?:[ \t]*:[ \t]*(-?)([0-9_]+))?")

_Run = tuple[ast.Node | ast.Range, ...]
_Part = Token | ast.Argument | ast.Range | ast.Node | ast.Statement | _Run | None


class _LimitError(Exception):
    """More of something than a program may have."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.title)
        self.diagnostic = diagnostic


class _Newlines(PostLex):
    """Drops newlines inside brackets, remembers the brackets that are open, and counts."""

    always_accept = ("_NEWLINE",)

    def __init__(self) -> None:
        self.open: list[Bracket] = []
        self.items: list[int] = []

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        self.open, self.items = [], []
        for count, token in enumerate(stream):
            if count == WORDS:
                raise _LimitError(too_many_words(_span_of(token)))
            if token.type != "_NEWLINE" or not self.open:
                yield token
            # After the yield: a bracket that the parser refuses does not count.
            if token.type in _OPENING:
                self._opened(token)
            elif token.type in _CLOSING:
                self.open.pop()
                self.items.pop()
            elif self.open and token.type in ("COMMA", "RUN"):
                self._counted(token)

    def _opened(self, token: Token) -> None:
        if len(self.open) == NESTING:
            raise _LimitError(too_deep(_span_of(token)))
        self.open.append(Bracket(_OPENING[token.type], _span_of(token)))
        self.items.append(1)

    def _counted(self, token: Token) -> None:
        """Adds the commas of a token to the items of the innermost bracket."""
        self.items[-1] += token.count(",")
        # A comma may appear behind the last one.
        if self.items[-1] > LIST_ITEMS + (token.type == "COMMA"):
            raise _LimitError(too_long_list(self.open[-1].span))


@cache
def _parser() -> tuple[Lark, _Newlines]:
    newlines, grammar = _Newlines(), read("grammar", "pattern.lark")
    found = Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        postlex=newlines,
        propagate_positions=True,
        maybe_placeholders=True,
        cache=_table(grammar),
    )
    return found, newlines


def _table(grammar: str) -> str | bool:
    """The file in which Lark keeps the parse table, which takes it longest; False for none."""
    folder = usable_folder("grammar")
    if folder is None:
        return False
    key = f"{sys.version_info[:2]} {lark.__version__} {grammar}"
    return str(folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.lark")


def parse(text: str, name: str = "<pattern>") -> ast.Program:
    """The syntax tree of a program; raises `PatternError` with every unreadable statement."""
    source = SourceText.of(text, name)
    bounded(source)
    found: list[Diagnostic] = []
    rest = source.text + "\n"
    while True:
        try:
            outcome = _attempt(rest)
        except _LimitError as error:
            found.append(error.diagnostic)
            break
        if not isinstance(outcome, ParseFailure):
            break
        found.append(describe(outcome, source))
        blanked = _without_statement(rest, source, outcome)
        if blanked is None or len(found) >= min(_MOST_ERRORS, 1 + _MOST_READ // len(rest)):
            break
        rest = blanked
    if found:
        raise PatternError(found, source)
    return _program(cast("Tree[Token]", outcome), source)


def _attempt(text: str) -> Tree[Token] | ParseFailure:
    parser, newlines = _parser()
    try:
        return parser.parse(text)
    except UnexpectedToken as error:
        token, expected = _first_of(error.token), error.accepts or error.expected
        span = _span_of(token) if token.type != "$END" else Span(len(text) - 1, len(text) - 1)
        return ParseFailure(span, token.type, frozenset(expected), tuple(newlines.open))
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        return ParseFailure(
            Span(place, place + 1), "", frozenset(error.allowed or ()), tuple(newlines.open)
        )


def _first_of(token: Token) -> Token:
    """A token as messages show it: the first of many numbers, the first of many line ends."""
    if token.type == "RUN":
        number = _LISTED.match(token)
        assert number is not None
        return Token.new_borrow_pos("NUMBER", number[2], token)
    return token


def _without_statement(text: str, source: SourceText, trouble: ParseFailure) -> str | None:
    """The text with the statement at fault blanked; None where its end cannot be reported."""
    if trouble.open:
        return None
    line = source.line_span(source.position(trouble.span.start)[0])
    return text[: line.start] + " " * (line.stop - line.start) + text[line.stop :]


def _span_of(token: Token) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _program(tree: Tree[Token], source: SourceText) -> ast.Program:
    """Builds bottom-up without recursion; the depth of every part is known before it is used.

    Arguments and other wrappers of one part add no level.
    """
    built: dict[int, _Part] = {}
    depth: dict[int, int] = {}
    for subtree in tree.iter_subtrees():
        if subtree is tree:
            continue
        below = [child for child in subtree.children if isinstance(child, Tree)]
        span = Span(subtree.meta.start_pos, subtree.meta.end_pos)
        level = str(subtree.data) in _LEVELS
        depth[id(subtree)] = level + max((depth[id(child)] for child in below), default=0)
        if depth[id(subtree)] > NESTING:
            raise PatternError([too_deep(span)], source)
        parts = [
            built[id(child)] if isinstance(child, Tree) else child for child in subtree.children
        ]
        try:
            built[id(subtree)] = _BUILDERS[str(subtree.data)](parts, span)
        except _LimitError as error:
            raise PatternError([error.diagnostic], source) from None
    statements = [cast(ast.Statement, built[id(child)]) for child in tree.children]
    return ast.Program(_headers_named(statements, source), source)


def _headers_named(
    statements: list[ast.Statement], source: SourceText
) -> tuple[ast.Statement, ...]:
    """Lines that read as patterns but are headers: `causal`, `query_pool(..)`, `unfold(..)`."""
    named: list[ast.Statement] = []
    ruled = False
    for statement in statements:
        if isinstance(statement, ast.Bare) and not ruled:
            statement = _as_header(statement, source)
        ruled = ruled or isinstance(statement, ast.Bare | ast.When | ast.Otherwise)
        ruled = ruled and not isinstance(statement, ast.Stage)
        named.append(statement)
    return tuple(named)


def _as_header(statement: ast.Bare, source: SourceText) -> ast.Statement:
    match statement.pattern:
        case ast.Name("causal") if source.slice(statement.span) == "causal":
            return ast.FlagHeader("causal", statement.span)
        case ast.Call("query_pool" | "unfold") as call if call.span == statement.span:
            return ast.CallHeader(call, statement.span)
        case _:
            return statement


def _stage_names(parts: list[_Part]) -> tuple[str, str | None, str | None]:
    name, states, encoder = (None if part is None else str(part) for part in parts)
    return name or "", states, encoder


_Builder = Callable[[list[_Part], Span], _Part]


def _number(parts: list[_Part], span: Span) -> ast.Number:
    return _read_number(str(parts[0]), span)


def _read_number(digits: str, span: Span) -> ast.Number:
    if len(digits) > DIGITS:
        raise _LimitError(too_long_number(span))
    return ast.Number(int(digits), span)


def _run(parts: list[_Part], span: Span) -> _Run:
    """Numbers and ranges of numbers, as single tokens would be built."""
    return tuple(_listed(found, span.start) for found in _LISTED.finditer(str(parts[0])))


def _listed(found: re.Match[str], offset: int) -> ast.Node | ast.Range:
    first = _signed(found, 1, offset)
    if found[4] is None:
        return first
    return ast.Range(first, _signed(found, 3, offset), _span_in(found, 0, offset))


def _signed(found: re.Match[str], group: int, offset: int) -> ast.Node:
    """A number whose sign is that group, its digits the next."""
    digits = _span_in(found, group + 1, offset)
    number = _read_number(found[group + 1], digits)
    sign = _span_in(found, group, offset)
    return ast.Unary("-", number, sign.to(digits)) if found[group] else number


def _span_in(found: re.Match[str], group: int, offset: int) -> Span:
    return Span(offset + found.start(group), offset + found.end(group))


def _binary(parts: list[_Part], span: Span) -> ast.Binary:
    left, operator, right = parts
    word = cast(ast.BinaryOperator, str(operator))
    return ast.Binary(word, cast(ast.Node, left), cast(ast.Node, right), span)


def _comparison(parts: list[_Part], span: Span) -> ast.Comparison:
    operands = tuple(cast(ast.Node, part) for part in parts[::2])
    operators = tuple(cast(CompareOperator, str(part)) for part in parts[1::2])
    return ast.Comparison(operands, operators, span)


def _reading(parts: list[_Part], span: Span) -> ast.Reading:
    name = cast(Token, parts[0])
    return ast.Reading(ast.Name(str(name), _span_of(name)), _node(parts[1]), span)


def _call(parts: list[_Part], span: Span) -> ast.Call:
    word, *arguments = parts
    given = tuple(cast(ast.Argument, part) for part in arguments if part is not None)
    return ast.Call(str(word), given, span)


def _named_argument(parts: list[_Part], span: Span) -> ast.Argument:
    return ast.Argument(str(parts[0]), cast(ast.Node, parts[1]), span)


def _sequence(parts: list[_Part], span: Span) -> ast.Sequence:
    items: list[ast.Node | ast.Range] = []
    for part in parts:
        if isinstance(part, tuple):
            items += part
        elif part is not None:
            items.append(cast("ast.Node | ast.Range", part))
    return ast.Sequence(tuple(items), span)


def _bound(parts: list[_Part], span: Span) -> tuple[str, ast.Node, Span, Span]:
    name, value = cast(Token, parts[0]), cast(ast.Node, parts[1])
    return str(name), value, span, _span_of(name)


def _node(part: _Part) -> ast.Node:
    return cast(ast.Node, part)


# What becomes a level of the tree.
_LEVELS = frozenset(
    {
        *("name", "number", "decimal", "unary", "binary", "comparison_chain", "call", "lift"),
        "reading",
        *("sequence", "range", "run"),
    }
)
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
    "reading": _reading,
    "call": _call,
    "argument": lambda parts, span: ast.Argument(None, _node(parts[0]), span),
    "named_argument": _named_argument,
    "lift": lambda parts, span: ast.Lift(cast(ast.Call, parts[0]), _node(parts[1]), span),
    "sequence": _sequence,
    "run": _run,
    "range": lambda parts, span: ast.Range(
        cast("ast.Node | None", parts[0]), cast("ast.Node | None", parts[2]), span
    ),
    "heads": lambda parts, span: ast.CountHeader("heads", _node(parts[0]), span),
    "layers": lambda parts, span: ast.CountHeader("layers", _node(parts[0]), span),
    "allow_empty": lambda parts, span: ast.FlagHeader("allow empty", span),
    "param": lambda parts, span: ast.Parameter(*_bound(parts, span)),
    "let": lambda parts, span: ast.Let(*_bound(parts, span)),
    "size": lambda parts, span: ast.Size(str(parts[0]), span, _span_of(cast(Token, parts[0]))),
    "stream_rows": lambda parts, span: ast.StreamRows(str(parts[0]), span),
    "stage": lambda parts, span: ast.Stage(*_stage_names(parts), span=span),
    "when": lambda parts, span: ast.When(_node(parts[0]), _node(parts[2]), span),
    "otherwise": lambda parts, span: ast.Otherwise(_node(parts[1]), span),
    "bare": lambda parts, span: ast.Bare(_node(parts[0]), span),
}
