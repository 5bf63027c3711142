"""Wrong programs and what is said about them, letter by letter.

A program may begin with `# given: NAME=VALUE ..` (parameters of the call), `# length: N`, or
`# teach: N` (what `check --teach` says). After a change of the texts,
`python -m tests.errors.test_errors` writes the `.err` files anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from patternc import Pattern
from patternc.analysis.lint.performance_hints import performance_hints
from patternc.analysis.lint.warnings import warnings_at
from patternc.language import Diagnostic, PatternError
from patternc.language.syntax.diagnostics import render
from patternc.language.syntax.error_pages import explain, pages

_FOLDER = Path(__file__).parent
_PROGRAMS = sorted(_FOLDER.glob("*.pat"))


def _findings(
    text: str, given: dict[str, int | str], length: int | None, teach: int | None = None
) -> tuple[tuple[Diagnostic, ...], str]:
    """What is found in a program, and how it is shown."""
    try:
        pattern = Pattern(text, name="wrong.pat", parameters=given)
    except PatternError as error:
        return error.diagnostics, str(error)
    program, elaborated = pattern.tree, pattern.elaborated_program
    found = elaborated.warnings
    if length is not None:
        found += warnings_at(elaborated, length)
    if teach is not None:
        found += performance_hints(elaborated, teach, None, lambda: (128, 64))
    return found, render(found, program.source)


def _said(path: Path) -> str:
    text = path.read_bytes().decode()
    first = text.partition("\n")[0]
    given: dict[str, int | str] = {}
    if first.startswith("# given: "):
        pairs = (pair.partition("=") for pair in first.removeprefix("# given: ").split())
        given = {name: value for name, _, value in pairs}
    length = int(first.removeprefix("# length: ")) if first.startswith("# length: ") else None
    teach = int(first.removeprefix("# teach: ")) if first.startswith("# teach: ") else None
    return _findings(text, given, length, teach)[1]


@pytest.mark.parametrize("path", _PROGRAMS, ids=[path.stem for path in _PROGRAMS])
def test_a_wrong_program_is_told_what_is_wrong(path: Path) -> None:
    assert _said(path) == path.with_suffix(".err").read_bytes().decode()


def test_every_code_is_met_by_a_wrong_program_here() -> None:
    said = "".join(path.with_suffix(".err").read_text(encoding="utf-8") for path in _PROGRAMS)
    assert [code for code in pages() if f"[{code}]" not in said] == []


@pytest.mark.parametrize("code", pages())
def test_a_page_shows_a_program_with_that_finding_and_one_without_any(code: str) -> None:
    page = pages()[code]
    wrong, _ = _findings(
        page["wrong"], page.get("given", {}), page.get("length"), page.get("teach")
    )
    right, shown = _findings(
        page["right"], page.get("given_right", {}), page.get("length"), page.get("teach")
    )
    assert code in [finding.code for finding in wrong]
    assert right == (), shown
    assert page["right"].strip().splitlines()[0] in explain(code)


@pytest.mark.parametrize("code", pages())
def test_severity_follows_from_the_code(code: str) -> None:
    page = pages()[code]
    found, _ = _findings(
        page["wrong"], page.get("given", {}), page.get("length"), page.get("teach")
    )
    severity = "warning" if code.startswith("P2") else "error"
    assert {finding.severity for finding in found if finding.code == code} == {severity}


def test_a_code_that_does_not_exist_is_told_where_codes_are() -> None:
    with pytest.raises(PatternError) as caught:
        explain("P04O")
    assert "codes are P001 to P213" in str(caught.value)


if __name__ == "__main__":
    for program in _PROGRAMS:
        program.with_suffix(".err").write_bytes(_said(program).encode())
