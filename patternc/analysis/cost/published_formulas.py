"""The papers' own cost formulas, beside what is counted.

Maps a published program and its counts at n to verdicts. Formulas are data
(`published_formulas.toml`), written in n with whole numbers; they are read here, not run. Does not
handle programs that are not published.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable
from functools import cache
from math import isqrt
from operator import add, floordiv, mul, sub
from operator import pow as power
from pathlib import Path
from typing import Literal, cast

from patternc.frozen import frozen

Counts = Literal["pairs", "pairs_with_multiplicity"]
Verdict = Literal["exact", "upper bound", "lower than counted", "counted within bounds"]
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.FloorDiv: floordiv,
    ast.Pow: power,
}


@frozen
class Paper:
    """A formula for the pairs of one head of the first layer."""

    formula: str
    says: str
    counts: Counts

    def at(self, n: int) -> int:
        return _value(ast.parse(self.formula, mode="eval").body, n)


@frozen
class Comparison:
    """The formula's number beside that of head 0; `off` is their difference as a share of it."""

    paper: Paper
    value: int
    counted: int
    verdict: Verdict

    @property
    def off(self) -> float:
        return (self.value - self.counted) / max(self.counted, 1)


@cache
def papers() -> dict[str, Paper]:
    """By the name of the program in `examples/`."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {
        name: Paper(row["formula"], row["says"], cast(Counts, row.get("counts", "pairs")))
        for name, row in tomllib.loads(text).items()
    }


def compared(paper: Paper, n: int, least: int, most: int) -> Comparison:
    """The verdict on a count between `least` and `most`."""
    value = paper.at(n)
    if least == most == value:
        return Comparison(paper, value, most, "exact")
    if value >= most:
        return Comparison(paper, value, most, "upper bound")
    verdict: Verdict = "lower than counted" if value < least else "counted within bounds"
    return Comparison(paper, value, most, verdict)


def _value(node: ast.expr, n: int) -> int:
    match node:
        case ast.Constant(int(value)):
            return value
        case ast.Name("n"):
            return n
        case ast.BinOp(left, operator, right):
            return _OPERATIONS[type(operator)](_value(left, n), _value(right, n))
        case ast.Call(ast.Name("isqrt"), [argument]):
            return isqrt(_value(argument, n))
        case _:
            raise ValueError(f"a formula of a paper holds no {ast.unparse(node)}")
