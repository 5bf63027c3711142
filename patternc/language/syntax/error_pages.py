"""The pages of `explain`: what a diagnostic means, with a wrong program and a right one.

Converts `grammar/errors.toml` to text. Every page's programs are tested.
"""

from __future__ import annotations

import tomllib
from functools import cache
from textwrap import indent
from typing import NotRequired, TypedDict, cast

from patternc.language.syntax.diagnostics import Diagnostic, PatternError
from patternc.language.syntax.source import SourceText
from patternc.resources import read


class Page(TypedDict):
    """`given` are parameters of the call, `length` is the n at which the finding is made.

    `teach` is the n at which `check --teach` makes it.
    """

    title: str
    explanation: str
    wrong: str
    right: str
    given: NotRequired[dict[str, int | str]]
    given_right: NotRequired[dict[str, int | str]]
    length: NotRequired[int]
    teach: NotRequired[int]
    messages: dict[str, dict[str, str | dict[str, str]]]


@cache
def pages() -> dict[str, Page]:
    """Code -> page, in the order of the codes."""
    return cast(dict[str, Page], tomllib.loads(read("grammar", "errors.toml")))


def explain(code: str) -> str:
    """The page of a diagnostic; raises `PatternError` for a code that no diagnostic has."""
    page = pages().get(code)
    if page is None:
        raise PatternError([_no_page(code)], SourceText(""))
    return (
        f"{code}: {page['title']}\n\n{page['explanation'].strip()}\n\n"
        f"Wrong:\n\n{_program(page['wrong'], page.get('given'))}\n"
        f"Right:\n\n{_program(page['right'], page.get('given_right'))}"
    )


def _program(text: str, given: dict[str, int | str] | None) -> str:
    flags = "".join(f"# with -D {name}={value}\n" for name, value in (given or {}).items())
    return indent(flags + text.strip() + "\n", "    ")


def _no_page(code: str) -> Diagnostic:
    return Diagnostic(
        "P000",
        f"no diagnostic has the code `{code}`",
        note=f"codes are {min(pages())} to {max(pages())}",
        help="the code is in the brackets of a message: `error[P040]`",
    )
