"""Derivatives of score expressions against those that torch finds of the printed value."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from patternc.algebra.score_derivatives import derivative
from patternc.emit.text.layout import Leaf, Text, flat
from patternc.emit.text.score_text import TORCH_SCORES, ScorePrinter
from patternc.ir.modifiers import ScoreModifier
from patternc.ir.score_expressions import (
    DISTANCE,
    SCORE,
    Function,
    FunctionName,
    Named,
    Node,
    OfHead,
    Score,
    absolute,
    exp,
    log_share,
    parts,
    relu,
    sigmoid,
    tanh,
)
from patternc.modifiers.distance_aware import DistanceAware
from patternc.modifiers.softcap import SoftCap
from patternc.modifiers.softspan import SoftSpan

RATE = OfHead("rate")
SHARED = Named("shared", RATE * tanh(SCORE) - SCORE)
EXPRESSIONS: dict[str, Node] = {
    "sums and products": 3 * SCORE * RATE - SCORE / 7 + RATE * DISTANCE + 2,
    "quotients of quotients": SCORE / (RATE / (SCORE * SCORE + 1)),
    "a number that cancels": 5 * tanh(SCORE / 5) + RATE / 5 * 5,
    "exp and sigmoid": exp(SCORE * RATE) * sigmoid(RATE - absolute(DISTANCE) * SCORE),
    "magnitudes": absolute(SCORE - RATE) * absolute(RATE * SCORE),
    "relu": relu(SCORE - RATE) * relu(RATE * SCORE),
    "log_share": log_share(RATE * SCORE / 3 + 0.5),
    "a part twice": SHARED * relu(SHARED) / (1 + exp(SHARED)),
    "numbers on the left": (1 - SCORE) * (2 / (RATE * RATE + 1))
    - (3 - -SCORE) / (1 - RATE * SCORE),
    "a number negated": -1 * SCORE * sigmoid(-1 * (RATE * SCORE)),
}
MODIFIERS: tuple[ScoreModifier, ...] = DistanceAware(), SoftCap(3.0), SoftSpan(8.0, "z")
EXPRESSIONS |= {modifier.word: modifier.value for modifier in MODIFIERS}


def _leaf(part: Node) -> Text:
    return Leaf(part.name if isinstance(part, OfHead) else type(part).__name__.lower())


def _evaluated(text: str, names: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.as_tensor(eval(text, {"torch": torch, "_log_share": _log_share}, names))


def _log_share(share: torch.Tensor) -> torch.Tensor:
    held = share > 0
    return torch.where(held, share.clamp(max=1).where(held, 1).log(), -torch.inf)


CASES = [
    pytest.param(value, part, id=f"{name} by {flat(_leaf(part))}")
    for name, value in EXPRESSIONS.items()
    for part in parts(value)
    if isinstance(part, Score | OfHead)
]


@pytest.mark.parametrize(("value", "of"), CASES)
def test_a_derivative_by_rule_is_that_of_torch(value: Node, of: Node) -> None:
    printer = ScorePrinter(TORCH_SCORES, _leaf)
    torch.manual_seed(0)
    leaves = ("score", "distance", "rate", "alpha", "beta", "span")
    names = {leaf: torch.randn(200, dtype=torch.float64) for leaf in leaves}
    names["distance"] = torch.arange(200) % 20 - 15
    at = names[flat(_leaf(of))].requires_grad_()
    for part, text in printer.named(value):
        names[part] = _evaluated(flat(text), names)
    result = _evaluated(flat(printer.expression(value)), names)
    (wanted,) = torch.autograd.grad(result.sum(), at)
    found = _evaluated(flat(printer.derivative(derivative(value, of))), names)
    torch.testing.assert_close(found.expand_as(wanted), wanted, check_dtype=False)


def test_every_function_has_a_derivative_above() -> None:
    used = {
        part.name
        for value in EXPRESSIONS.values()
        for part in parts(value)
        if isinstance(part, Function)
    }
    assert used == set(get_args(FunctionName))
