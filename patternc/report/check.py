"""What `check` says: from a checked program to lines of text or a JSON document.

The document is one object a program: its name, heads and layers, the inputs it takes at call time,
and its diagnostics with code, severity, title, place, label, note and help. Lines and columns count
from 1. Does not find anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from patternc.frozen import frozen
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.language.syntax.characters import visible
from patternc.language.syntax.diagnostics import Diagnostic, render
from patternc.language.syntax.source import SourceText


@frozen
class Report:
    """One checked program; heads and layers are None where it fits any number of them."""

    source: SourceText
    diagnostics: tuple[Diagnostic, ...]
    inputs: tuple[RunTimeInput, ...] = ()
    heads: int | None = None
    layers: int | None = None

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def findings(report: Report) -> str:
    """The diagnostics as text for the standard error."""
    return render(report.diagnostics, report.source)


def summary(report: Report) -> str:
    """One line, and one more for every input, for the standard output."""
    name = visible(report.source.name)
    if report.failed:
        errors = sum(diagnostic.severity == "error" for diagnostic in report.diagnostics)
        return f"{name}: {_plural(errors, 'error')}"
    head = f"{name}: {_extent(report.layers, 'layer')}, {_extent(report.heads, 'head')}"
    warnings = len(report.diagnostics)
    lines = [f"{head}, {_plural(warnings, 'warning')}" if warnings else head]
    lines += [f"  {item.name}: {_described(item)}" for item in report.inputs]
    return "\n".join(lines)


def _described(given: RunTimeInput) -> str:
    """Role and shape; the shape of some begins with the role's word."""
    return given.shape if given.shape.startswith(given.role) else f"{given.role}, {given.shape}"


def document(reports: Sequence[Report]) -> list[dict[str, object]]:
    """The JSON document, as plain lists and dictionaries."""
    return [
        {
            "format": "patternc-check/1",
            "name": report.source.name,
            "heads": report.heads,
            "layers": report.layers,
            "inputs": [
                {"name": item.name, "role": item.role, "shape": item.shape}
                for item in report.inputs
            ],
            "diagnostics": [finding(item, report.source) for item in report.diagnostics],
        }
        for report in reports
    ]


def finding(diagnostic: Diagnostic, source: SourceText) -> dict[str, object]:
    """One diagnostic of a document."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "title": diagnostic.title,
        "span": _place(diagnostic, source),
        "label": diagnostic.label,
        "note": diagnostic.note,
        "help": diagnostic.help,
    }


def _place(diagnostic: Diagnostic, source: SourceText) -> dict[str, int] | None:
    if diagnostic.span is None:
        return None
    line, column = source.position(diagnostic.span.start)
    end_line, end_column = source.position(diagnostic.span.stop)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _extent(count: int | None, noun: str) -> str:
    return f"any number of {noun}s" if count is None else _plural(count, noun)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
