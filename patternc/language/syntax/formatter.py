"""The one layout of a program's text, with its comments and line ends.

Converts a text that can be read to the text with regular spaces and indentation: token by token, so
nothing is lost. Arrows of neighbouring rules appear below each other; a line that goes on inside
brackets is indented to its bracket, or by four where the bracket ends its line. Does not break or
join lines, or remove brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<comment>#[^\r\n]*)|(?P<end>\r\n|\n|\r)|(?P<space>[ \t]+)"
    r"|(?P<word>[A-Za-z_]\w*|[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign>->|<=|>=|==|!=|\*\*|//|.)",
    re.ASCII,
)
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
# After these a minus is a sign, and a bracket calls nothing.
_OPERATORS = (
    *("or", "and", "not", "<", "<=", "==", "!=", ">=", ">", "+", "-", "&", "on", "with"),
    *("*", "//", "%", "~", "**", "->", "=", ":", ","),
)
_HEADERS = ("heads", "layers", "else")
_STEP = 4
_FARTHEST_ARROW = 60


@dataclass(slots=True)
class _Token:
    """`depth` counts the brackets around it; `gap`: a space before it, unless it begins a line."""

    text: str
    depth: int
    gap: bool = False


@dataclass(slots=True)
class _Line:
    """`inside` says whether the line begins inside brackets."""

    inside: bool
    tokens: list[_Token] = field(default_factory=list)
    comment: str = ""


@dataclass(slots=True)
class _Bracket:
    """An open bracket: where its contents are indented to, and where its closing one stands."""

    contents: int
    closing: int


def layout(text: str) -> str:
    """The text in its one layout; it must be readable, and means the same afterwards."""
    lines = list(_with_few_blanks(_lines(text)))
    for statement in _statements(lines):
        tokens = [token for line in statement for token in line.tokens]
        for index in range(1, len(tokens)):
            tokens[index].gap = _gap(tokens, index)
    _align_arrows(lines)
    return "".join(f"{line}\n" for line in _indented(lines))


def _lines(text: str) -> Iterator[_Line]:
    line, depth = _Line(inside=False), 0
    for match in _TOKEN.finditer(text.removeprefix("\ufeff")):
        word = match.group()
        if match.lastgroup == "end":
            yield line
            line = _Line(inside=depth > 0)
        elif match.lastgroup == "comment":
            line.comment = word.rstrip()
        elif match.lastgroup != "space":
            depth -= word in _CLOSING
            line.tokens.append(_Token(word, depth))
            depth += word in _OPENING
    yield line


def _with_few_blanks(lines: Iterator[_Line]) -> Iterator[_Line]:
    """At most one blank line in a row, none at either end or inside brackets."""
    waiting: _Line | None = None
    begun = False
    for line in lines:
        if line.tokens or line.comment:
            if waiting is not None:
                yield waiting
            yield line
            waiting, begun = None, True
        elif begun and not line.inside:
            waiting = line


def _statements(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    statement: list[_Line] = []
    for line in lines:
        if statement and not line.inside:
            yield statement
            statement = []
        statement.append(line)
    yield statement


def _gap(tokens: Sequence[_Token], index: int) -> bool:
    before, text = tokens[index - 1].text, tokens[index].text
    if text in (",", ")", "]") or before in ("(", "["):
        return False
    if before == ",":
        return True
    if "=" in (before, text) and tokens[index].depth > 0:
        return False
    if ":" in (before, text):
        return _is_wide(tokens, index if text == ":" else index - 1)
    if before in ("-", "~") and _is_sign(tokens, index - 1):
        return False
    if text in ("(", "["):
        return before in _OPERATORS or before in _HEADERS or before == "{"
    return True


def _is_sign(tokens: Sequence[_Token], index: int) -> bool:
    """Whether a minus or tilde has no operand on its left."""
    if index == 0:
        return True
    before = tokens[index - 1].text
    return before in _OPERATORS or before in _OPENING or before == "else"


def _is_wide(tokens: Sequence[_Token], colon: int) -> bool:
    """Whether an end of the range is more than a word, so that spaces stand around the colon."""
    depth = tokens[colon].depth
    start = stop = colon
    while start > 0 and not _bounds(tokens[start - 1], depth):
        start -= 1
    while stop + 1 < len(tokens) and not _bounds(tokens[stop + 1], depth):
        stop += 1
    inside = [k for k in range(start, stop + 1) if k != colon]
    return any(tokens[k].text in _OPERATORS and not _is_sign(tokens, k) for k in inside)


def _bounds(token: _Token, depth: int) -> bool:
    return token.depth < depth or (token.depth == depth and token.text in (",", "="))


def _align_arrows(lines: Sequence[_Line]) -> None:
    """Pads the token before the arrow of neighbouring rules."""
    run: list[tuple[_Token, int]] = []
    for line in (*lines, _Line(inside=False)):
        arrow = next((k for k, token in enumerate(line.tokens) if token.text == "->"), 0)
        if arrow and not line.inside:
            run.append((line.tokens[arrow - 1], len(_joined(line.tokens[:arrow]))))
        elif not line.inside:
            _pad(run)
            run = []


def _pad(run: Sequence[tuple[_Token, int]]) -> None:
    column = max((width for _, width in run), default=0)
    for token, width in run:
        if column <= _FARTHEST_ARROW:
            token.text += " " * (column - width)


def _joined(tokens: Sequence[_Token]) -> str:
    return "".join(" " * token.gap + token.text for token in tokens).lstrip(" ")


def _indented(lines: Sequence[_Line]) -> Iterator[str]:
    brackets: list[_Bracket] = []
    for line in lines:
        indent = _indent(line, brackets) if line.inside else 0
        if not line.inside:
            brackets = []
        _follow(line, indent, brackets)
        text = _joined(line.tokens)
        space = "  " if text and line.comment else ""
        yield (" " * indent + text + space + line.comment).rstrip()


def _indent(line: _Line, brackets: Sequence[_Bracket]) -> int:
    if line.tokens and line.tokens[0].text in _CLOSING:
        return brackets[-1].closing
    return brackets[-1].contents


def _follow(line: _Line, indent: int, brackets: list[_Bracket]) -> None:
    """Opens and closes the brackets of a line."""
    column = indent
    for index, token in enumerate(line.tokens):
        column += (token.gap if index else 0) + len(token.text)
        if token.text in _OPENING and index + 1 == len(line.tokens):
            brackets.append(_Bracket(indent + _STEP, indent))
        elif token.text in _OPENING:
            contents = column + line.tokens[index + 1].gap
            brackets.append(_Bracket(contents, contents))
        elif token.text in _CLOSING:
            brackets.pop()
