"""Closed forms of a report, read as their readers would: an expression, and where it holds."""

import re

_FORM = re.compile(
    r"(?P<text>.+) for n (?P<how>>=|==) (?P<start>\d+)(, n % (?P<p>\d+) == (?P<r>\d+))?"
)


def holds_at(form: str, n: int) -> bool:
    found = _FORM.fullmatch(form)
    if found["how"] == "==":
        return n == int(found["start"])
    return n >= int(found["start"]) and n % int(found["p"] or 1) == int(found["r"] or 0)


def value(form: str, n: int) -> int:
    return eval(_FORM.fullmatch(form)["text"], {"__builtins__": {}}, {"n": n})


def is_bound(form: str) -> bool:
    return _FORM.fullmatch(form) is None
