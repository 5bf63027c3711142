"""Keeps the definitions of a generated module that its exported names reach, as a linker does.

Converts the text of all sections to the text of one file. A name without a leading underscore is
exported; a definition stays where an exported one refers to it, directly or not, a comment with the
statement below it, a section's title with any statement of the section. Text between two statements
becomes the blank lines that `ruff format` would leave. The text is formatted as formatters leave
it, so statements are found by their first lines, which is several times faster than parsing them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeGuard

from patternc.frozen import frozen

TITLE = "# ----"
_DEFINITION = re.compile(r"(?:@[\s\S]*?\n)?(?:def|class) (\w+)")
_ASSIGNMENT = re.compile(r"(\w+)(?:: [^=\n]*)? = ")
_FIRST_LINE = re.compile(r"^(?!(?:except|else|finally)\b)[A-Za-z_@\"']")
_PLACES = re.compile(r"\{[^{}]*\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_STRING = r'"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
_BLOCK = re.compile(r'"""[\s\S]*?"""')
_QUOTED = re.compile(rf"(?P<formatted>(?<!\w)f(?:{_STRING}))|(?<!\w)r?(?:{_STRING})|#.*")


@frozen
class Statement:
    """A statement with the comment above it, its section's title, the names it binds and reads.

    `spaced` ones have two blank lines around them, `apart` ones had one above them at least.
    """

    text: str
    title: str
    binds: frozenset[str]
    reads: frozenset[str]
    spaced: bool
    apart: bool


def linked(text: str, exported: frozenset[str] = frozenset()) -> str:
    """The module without what neither `exported` nor public names reach."""
    statements = list(_statements(text))
    reached = _reached(statements, exported)
    kept = [each for each in statements if not each.binds or each.binds & reached]
    return _joined(kept)


def _statements(text: str) -> Iterator[Statement]:
    """The statements in order; each takes the gap above it with it."""
    end, title = 0, ""
    for start, stop in _ranges(text):
        gap, body = text[end:start], text[start:stop]
        blocks = [block for block in re.split(r"\n{2,}", gap.strip("\n")) if block]
        title = ([title] + [block for block in blocks if block.startswith(TITLE)])[-1]
        definition, assignment = _DEFINITION.match(body), _ASSIGNMENT.match(body)
        named = definition or assignment
        comments = [block for block in blocks if not block.startswith(TITLE)]
        yield Statement(
            _comment(comments, not gap.endswith("\n\n"), definition is not None) + body,
            title,
            frozenset({named[1]} if named else _bound(ast.parse(body).body[0])),
            _read(body),
            definition is not None,
            bool(gap.strip("\n")) or gap.count("\n") > 1,
        )
        end = stop


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    """Where each statement starts and ends: without the line end of its last line."""
    inside = [each.span() for each in _BLOCK.finditer(text)]
    starts = list(_starts(text, inside))
    for start, stop in zip(starts, [*starts[1:], len(text)], strict=True):
        lines = text[start:stop].splitlines(keepends=True)
        while lines[-1].startswith(("#", "\n")):
            lines.pop()
        yield start, start + len("".join(lines).rstrip("\n"))


def _starts(text: str, inside: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Offsets of lines that begin a statement: not indented, and `inside` no string."""
    strings, decorated, start = iter([*inside, (len(text) + 1, 0)]), False, 0
    opening, closing = next(strings)
    for line in text.splitlines(keepends=True):
        while closing and closing <= start:
            opening, closing = next(strings)
        if _FIRST_LINE.match(line) and not opening < start:
            if not decorated:
                yield start
            decorated = line.startswith("@")
        start += len(line)


def _comment(blocks: list[str], attached: bool, spaced: bool) -> str:
    """The comments of a gap as they appear above the statement, with the blank lines below them."""
    if not blocks:
        return ""
    return "\n\n".join(blocks) + ("\n" if attached else "\n\n\n" if spaced else "\n\n")


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement binds in the module; none for what runs at import only."""
    match node:
        case ast.FunctionDef(name) | ast.ClassDef(name):
            yield name
        case ast.Import(names) | ast.ImportFrom(names=names):
            if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
                yield from ((each.asname or each.name).split(".")[0] for each in names)
        case ast.Assign(targets):
            yield from (part.id for each in targets for part in ast.walk(each) if _is_name(part))
        case ast.AnnAssign(target) | ast.AugAssign(target):
            yield from (part.id for part in ast.walk(target) if _is_name(part))
        case ast.Try(body, handlers):
            inside = [*body, *(each for handler in handlers for each in handler.body)]
            yield from (name for each in inside for name in _bound(each))
        case _:
            return


def _is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


@lru_cache(maxsize=4096)
def _read(text: str) -> frozenset[str]:
    """Names in a statement's text; many statements are those of other modules."""
    if text.startswith(("import ", "from ")):
        return frozenset()
    named = _NAME.findall(_QUOTED.sub(" ", text))
    if 'f"' in text or "f'" in text:
        named += _NAME.findall(" ".join(_places(text)))
    return frozenset(named)


def _places(text: str) -> Iterator[str]:
    """What formatted strings refer to."""
    for found in _QUOTED.finditer(text):
        if found["formatted"]:
            yield from _PLACES.findall(found[0])


def _reached(statements: list[Statement], exported: frozenset[str]) -> set[str]:
    """All names that run at import or are exported, and those that these refer to."""
    binding: dict[str, list[Statement]] = {}
    for each in statements:
        for name in each.binds:
            binding.setdefault(name, []).append(each)
    waiting = [*exported, *(name for each in statements for name in _roots(each))]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [read for each in binding.get(name, ()) for read in each.reads]
    return reached


def _roots(statement: Statement) -> Iterator[str]:
    if not statement.binds:
        yield from statement.reads
    elif not statement.text.startswith(("import ", "from ", "try:")):
        yield from (name for name in statement.binds if not name.startswith("_"))


def _joined(statements: list[Statement]) -> str:
    text, before, title = "", None, ""
    for each in statements:
        titled = each.title != title
        text += _gap(before, each, titled)
        if titled:
            text += each.title + ("\n\n\n" if each.spaced else "\n\n")
        text += each.text + "\n"
        before, title = each, each.title
    return text


def _gap(before: Statement | None, after: Statement, titled: bool) -> str:
    if before is None:
        return ""
    if before.spaced or after.spaced:
        return "\n\n"
    return "\n" if after.apart or titled else ""
