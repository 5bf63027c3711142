"""The texts of diagnostics: templates of `grammar/errors.toml`, filled with fields.

`[P040.messages.unknown_name]` has a title, and where they say more a label, a note and a help. A
part with several texts is a table of them: `help.near` is taken where the field `near` is true,
`help.else` where no other is. What begins with P2 is a warning, all else is an error.
"""

from __future__ import annotations

from functools import cache

from patternc.language.syntax.diagnostics import Diagnostic, Mark, Severity
from patternc.language.syntax.error_pages import pages
from patternc.language.syntax.source import Span

Template = str | dict[str, str]
Message = dict[str, Template]


def diagnostic(
    key: str, span: Span | None = None, marks: tuple[Mark, ...] = (), /, **fields: object
) -> Diagnostic:
    """The diagnostic `CODE.message` at `span`; fields have the names that its templates use."""
    code, name = key.split(".")
    texts = {part: _text(template, fields) for part, template in messages()[code][name].items()}
    severity: Severity = "warning" if code.startswith("P2") else "error"
    return Diagnostic(code, span=span, marks=marks, severity=severity, **texts)


@cache
def messages() -> dict[str, dict[str, Message]]:
    """Code -> name of the message -> its templates."""
    return {code: page["messages"] for code, page in pages().items()}


def _text(template: Template, fields: dict[str, object]) -> str:
    if isinstance(template, str):
        return template.format_map(fields)
    chosen = next((case for case in template if case != "else" and fields[case]), "else")
    return template[chosen].format_map(fields)
