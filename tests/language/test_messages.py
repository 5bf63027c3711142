"""Every diagnostic that the code makes has its texts, with exactly the fields that it is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import patternc
from patternc.language.syntax.messages import Message, diagnostic, messages
from patternc.language.syntax.source import Span

ROOT = Path(patternc.__file__).parent
_MAKERS = {"diagnostic", "value_error"}


def _calls() -> Iterator[tuple[str, set[str], str]]:
    """Key, fields and place of every call that makes a diagnostic."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _MAKERS:
                fields = {argument.arg for argument in node.keywords if argument.arg}
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield from ((key, fields, place) for key in _keys(node.args[0]))


def _keys(argument: ast.expr) -> Iterator[str]:
    """The keys that the first argument can be: constants, choices of them, a code set before."""
    match argument:
        case ast.Constant(str(key)):
            yield key
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_keys(body), *_keys(orelse))
        case ast.JoinedStr(values=[_, ast.Constant(str(name))]):
            yield from (code + name for code in messages() if name[1:] in messages()[code])


def _fields(message: Message) -> set[str]:
    cases = [part for part in message.values() if isinstance(part, dict)]
    texts = [part for part in message.values() if isinstance(part, str)]
    texts += [text for case in cases for text in case.values()]
    used = {field for text in texts for _, field, _, _ in Formatter().parse(text) if field}
    return used | {name for case in cases for name in case} - {"else"}


def test_fields_of_calls_are_those_of_the_texts() -> None:
    for key, fields, place in _calls():
        code, name = key.split(".")
        assert fields == _fields(messages()[code][name]), place


def test_every_text_is_used() -> None:
    written = {f"{code}.{name}" for code, found in messages().items() for name in found}
    assert written == {key for key, _, _ in _calls()}


def test_every_part_is_one_of_four_and_every_choice_has_an_else() -> None:
    for found in messages().values():
        for message in found.values():
            assert set(message) <= {"title", "label", "note", "help"}
            assert "title" in message
            assert all("else" in part for part in message.values() if isinstance(part, dict))


@pytest.mark.parametrize(
    ("near", "advice"), [("local", "did you mean `rows local`?"), ("", "use the stream in a rule")]
)
def test_a_choice_follows_its_field(near: str, advice: str) -> None:
    found = diagnostic("P027.unknown_stream", Span(0, 1), name="x", near=near)
    assert found.help.startswith(advice)
    assert found.severity == "error"
    assert diagnostic("P203.empty_range").severity == "warning"
