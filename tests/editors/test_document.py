"""What editors are told of a text, without an editor."""

import pytest

from patternc import Pattern
from patternc.editors.document import Document, RenameError
from patternc.editors.manual import about_words
from patternc.language.syntax.builtins import PRIMITIVES
from patternc.language.syntax.source import Span

TEXT = """causal
let near = local(2)  # é 😀, near
param w = 3
near + columns([0:w]) + where(i - j < w)
"""


def _at(word: str, text: str = TEXT) -> int:
    return text.index(word)


def _words(text: str, spans: tuple[Span, ...]) -> list[str]:
    return [text[span.start : span.stop] for span in spans]


def test_every_word_of_the_language_has_a_text() -> None:
    assert not [word for word in PRIMITIVES if not about_words().get(word)]


def test_hovering_tells_meaning_cost_and_picture() -> None:
    found = Document(TEXT).hover(_at("columns"))
    assert found is not None
    assert "j in S" in found
    assert "Pairs: 3*n for n >= 3" in found
    assert "data:image/svg+xml;base64," in found


def test_hovering_a_name_tells_what_it_stands_for() -> None:
    found = Document(TEXT).hover(_at("near +"))
    assert found is not None
    assert found.startswith("```pattern\nlet near = local(2)\n```")
    assert "Pairs: 5*n - 6" in found
    assert Document(TEXT).hover(_at("w]")) == "```pattern\nparam w = 3\n```"


def test_hovering_an_input_of_the_call_tells_its_shape() -> None:
    text = "same(document)"
    shape = Pattern.parse(text).inputs[0].shape
    assert Document(text).hover(6) == f"`document`: given at call time: {shape}"


def test_a_name_is_found_where_it_is_bound_and_used_and_not_in_comments() -> None:
    found = Document(TEXT)
    assert found.definition(_at("near +")) == Span(11, 15)
    assert [span.start for span in found.references(_at("near"))] == [11, _at("near +")]
    assert len(found.references(_at("w = 3"))) == 3
    assert found.definition(_at("columns")) is None
    assert found.references(_at("# ")) == ()


def test_names_of_a_stage_are_its_own() -> None:
    text = "stage a\nlet w = 2\nlocal(w)\nstage b\nlet w = 3\nlocal(w)\n"
    found = Document(text).references(text.rindex("w"))
    assert [span.start for span in found] == [text.rindex("w ="), text.rindex("w")]


def test_renaming_keeps_what_the_program_means() -> None:
    places = Document(TEXT).renamed(_at("near"), "close_by")
    assert _words(TEXT, places) == ["near", "near"]


@pytest.mark.parametrize("name", ["local", "i", "w", "3x", "a-b", "", "layer", "ä"])
def test_a_name_that_is_taken_or_none_is_refused(name: str) -> None:
    with pytest.raises(RenameError):
        Document(TEXT).renamed(_at("near"), name)


def test_what_nothing_binds_cannot_be_renamed() -> None:
    for word in ("columns", "# "):
        with pytest.raises(RenameError, match="only names of let"):
            Document(TEXT).renamed(_at(word), "x")


def test_texts_that_are_wrong_have_answers_too() -> None:
    found = Document("let w = 3\nlocl(w) + (")
    assert [each.severity for each in found.diagnostics] == ["error"] * len(found.diagnostics)
    assert found.diagnostics
    assert found.formatted() is None
    assert found.hover(12) is None
    assert "local" in {each.word for each in found.completions()}
    assert Document("").completions()
    assert Document("").hover(0) is None


def test_completions_have_the_usage_and_the_names_of_the_text() -> None:
    found = {each.word: each for each in Document(TEXT).completions()}
    assert found["local"].usage.startswith("local(")
    assert found["near"].usage == "let near = local(2)"
    assert PRIMITIVES.keys() <= found.keys()


def test_warnings_are_told_as_check_tells_them() -> None:
    text = "local(left=-3, right=4)\n"
    wanted = [each.code for each in Pattern.parse(text).check(1024)]
    assert [each.code for each in Document(text).diagnostics] == wanted != []
