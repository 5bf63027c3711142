"""Texts use the words of the field: phrases that were retired stay away."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RETIRED = (
    "Non-goals",
    "stands ready",
    "is no error",
    "for people",
    "hears of",
    "heard of",
    "at the call,",
    "at the call.",
    "at the call;",
    "found again",
    "looks ahead",
    "house words",
    "keys that are no numbers",
    "not a word of the language, and not bound above",
    "is no run-time input",
    "is no warning's code",
    "not yet lowered",
    "the one layout",
    "fills its tiles badly",
    "takes as many products",
    "speaks of",
    "worked in",
)
PLACES = ("patternc", "grammar", "codegen", "examples", "benchmarks")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SUFFIXES = {".py", ".md", ".toml", ".jinja", ".pat", ".json"}


def _texts() -> list[Path]:
    files = [path for place in PLACES for path in (ROOT / place).rglob("*")]
    return [path for path in files if path.suffix in SUFFIXES] + [ROOT / page for page in PAGES]


@pytest.mark.parametrize("phrase", RETIRED)
def test_no_text_contains_a_retired_phrase(phrase: str) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in _texts()}
    assert len(texts) > 200
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if phrase in text] == []


def test_lines_of_the_readme_fit_a_terminal() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 120] == []
