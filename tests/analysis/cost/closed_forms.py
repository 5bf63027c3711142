"""Closed forms of a report, read as their readers would: an expression, and where it holds."""

import re

_FORM = re.compile(
    r"(?P<text>.+) for n (?P<how>>=|==) (?P<start>\d+)(, n <= (?P<most>\d+))?"
    r"(, n % (?P<p>\d+) == (?P<r>\d+))?"
)


def holds_at(form: str, n: int) -> bool:
    found = _FORM.fullmatch(form)
    if found["how"] == "==":
        return n == int(found["start"])
    if n > int(found["most"] or n):
        return False
    return n >= int(found["start"]) and n % int(found["p"] or 1) == int(found["r"] or 0)


def value(form: str, n: int) -> int:
    names = {"n": n, "ceil_log2": lambda number: (number - 1).bit_length()}
    return eval(_FORM.fullmatch(form)["text"], {"__builtins__": {}}, names)


def is_bound(form: str) -> bool:
    return _FORM.fullmatch(form) is None
