"""What enters a compiled file from outside is text there, and never code."""

from __future__ import annotations

import ast
import re

import pytest

from patternc import Pattern

_HOSTILE = (
    '"""\nraise SystemExit(1)\n"""',
    '"' * 7,
    'x"',
    "\\",
    "\\N{BULLET} \\U00110000 \\x",
    "a\nimport os",
    "a\rb\x0bc\x0cd\x85e\u2028f\u2029g",
    "\x00\x1b[31m\udc80\u202e",
    "{{ 1 + 1 }}{% raw %}",
    "# name",
)
_PLAIN = "full"


def _code(source: str) -> str:
    """The statements without the docstring, and without what operators are named after."""
    tree = ast.parse(source)
    assert isinstance(tree.body[0], ast.Expr)
    return re.sub(
        "patternc_[0-9A-Za-z_]*_[0-9a-f]{12}", "", ast.dump(ast.Module(tree.body[1:], []))
    )


@pytest.mark.parametrize("text", _HOSTILE)
def test_names_and_commands_add_no_statement(text: str) -> None:
    plain = _code(Pattern(_PLAIN).compile())
    named = Pattern(_PLAIN, name=text)
    for source in (named.compile(), named.compile(command=f"patternc compile -D{text}")):
        source.encode()
        assert _code(source) == plain


@pytest.mark.parametrize("text", _HOSTILE[:5] + _HOSTILE[8:])
def test_comments_add_no_statement_and_are_kept(text: str) -> None:
    comment = text.replace("\n", " ")
    source = Pattern(f"full  # {comment} é").compile()
    assert _code(source) == _code(Pattern(_PLAIN).compile())
    docstring = ast.get_docstring(ast.parse(source), clean=False)
    assert docstring is not None
    assert f"# {comment} é" in docstring
