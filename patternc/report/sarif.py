"""What `check` says as SARIF 2.1.0, which code hosts and editors show beside the text.

One run: the rules are the codes that occur, with the pages of `patternc explain`; a result names
its rule, its level and its place, lines and columns from 1 in Unicode characters. Source: OASIS
SARIF 2.1.0, sections 3.14 to 3.31.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from patternc.language.syntax.diagnostics import Diagnostic, Mark
from patternc.language.syntax.error_pages import pages
from patternc.language.syntax.source import SourceText, Span
from patternc.report.check import Report
from patternc.version import __version__

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def sarif(reports: Sequence[Report]) -> dict[str, object]:
    """The log, as plain lists and dictionaries."""
    found = [(each, report.source) for report in reports for each in report.diagnostics]
    codes = sorted({each.code for each, _ in found})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "patternc",
                        "version": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, source, codes) for each, source in found],
            }
        ],
    }


def _rule(code: str) -> dict[str, object]:
    page = pages().get(code)
    if page is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": page["title"]},
        "fullDescription": {"text": " ".join(page["explanation"].split())},
        "help": {"text": f"patternc explain {code}"},
    }


def _result(found: Diagnostic, source: SourceText, codes: Sequence[str]) -> dict[str, object]:
    said = [found.title, found.label, found.note and f"note: {found.note}"]
    said.append(found.help and f"help: {found.help}")
    result: dict[str, object] = {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": found.severity,
        "message": {"text": "\n".join(filter(None, said))},
        "locations": [_location(found.span, source)],
    }
    if found.marks:
        result["relatedLocations"] = [_mark(mark, source) for mark in found.marks]
    return result


def _mark(mark: Mark, source: SourceText) -> dict[str, object]:
    return {**_location(mark.span, source), "message": {"text": mark.label}}


def _location(span: Span | None, source: SourceText) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": quote(source.name)}}
    if span is not None:
        line, column = source.position(span.start)
        end_line, end_column = source.position(span.stop)
        place = {"startLine": line, "startColumn": column}
        physical["region"] = {**place, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": physical}
