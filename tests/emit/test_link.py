"""The linker finds the statements, and the names they bind and read, that a parser finds."""

import ast

import pytest

from patternc import Pattern
from patternc.emit import link, module
from patternc.zoo import published


@pytest.fixture(scope="module", params=["local(256) + global([0])", published("bigbird")])
def text(request):
    """A module before it is linked."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        patch.setattr(module, "linked", lambda text: found.append(text) or text)
        Pattern.parse(request.param).compile(backends=("all",), native=True, self_test=True)
    return found[0]


def test_statements_are_those_of_the_parser(text):
    found, parsed, lines = list(link._statements(text)), ast.parse(text).body, text.split("\n")
    assert len(found) == len(parsed)
    for statement, node in zip(found, parsed, strict=True):
        last = lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()
        assert statement.text.splitlines()[-1].startswith(last)
        assert statement.binds == frozenset(link._bound(node)), statement.text
        assert statement.spaced == isinstance(node, ast.FunctionDef | ast.ClassDef)


def test_every_name_that_a_statement_reads_is_known(text):
    for statement, node in zip(link._statements(text), ast.parse(text).body, strict=True):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            assert read <= statement.reads | {"__file__"}, statement.text


def test_a_definition_goes_with_its_decorators_comment_and_title():
    source = (
        '"""Two\n\ndef lines."""\n\n\n# ---- Title\n\n\n# About it.\n@first\n@second(\n    1,\n)\n'
        "def shown():\n    return _kept\n\n\ndef _dropped():\n    return shown\n\n\n_kept = 1\n"
    )
    assert link.linked(source) == source.replace("def _dropped():\n    return shown\n\n\n", "")
