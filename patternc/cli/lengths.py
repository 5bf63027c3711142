"""Numbers of tokens as people write them: `4096`, `4k`, `128k`, `1M`, `1e6`, `1_000_000`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import click

_FORM = re.compile(r"(\d[\d_,]*(?:\.\d+)?(?:e\d{1,2})?)([kmg]?)", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Length(click.IntRange):
    """An integer in a range; k, M and G stand for 2^10, 2^20 and 2^30, as contexts are named."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = _number(value) if isinstance(value, str) else value
        if number is None:
            self.fail(f"{value!r}; expected a number such as 4096, 4k, 1M or 1e6", param, ctx)
        found: int = super().convert(number, param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "N"


def _number(text: str) -> int | None:
    """The integer that a text stands for; None where it stands for none."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        return int(text) if re.fullmatch(r"\s*-\d+\s*", text, re.ASCII) else None
    number = Fraction(re.sub("[_,]", "", form[1])) * _UNITS[form[2].lower()]
    return int(number) if number.denominator == 1 else None
