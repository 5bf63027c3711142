"""Attention written down by hand in float64: what modules with sources and modifiers must compute.

A `Call` holds the tensors of one call and the positions of its pairs; a case says a program, its
inputs, and the output from dense scores. Does not depend on the code that modules run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import torch

from patternc import Pattern
from tests.compiled import module_of_schedule
from tests.schedules import schedule_of_pattern

Tensor = torch.Tensor


def draw(*shape: int) -> Tensor:
    """Random float64 numbers that every dtype of the tests holds exactly."""
    return torch.randn(*shape).half().double()


@dataclass(frozen=True, slots=True)
class Call:
    """q [2, heads, queries, 16] and k, v [2, kv_heads, n, 16]; the queries stand at the end."""

    q: Tensor
    k: Tensor
    v: Tensor

    @classmethod
    def of(cls, queries: int, n: int, kv_heads: int = 2, heads: int = 2) -> Call:
        torch.manual_seed(queries + 7 * n)
        return cls(draw(2, heads, queries, 16), draw(2, kv_heads, n, 16), draw(2, kv_heads, n, 16))

    @property
    def queries(self) -> int:
        return self.q.shape[2]

    @property
    def n(self) -> int:
        return self.k.shape[2]

    @property
    def heads(self) -> int:
        return self.q.shape[1]

    @property
    def i(self) -> Tensor:
        """Query positions [queries, 1]."""
        return torch.arange(self.n - self.queries, self.n)[:, None]

    @property
    def j(self) -> Tensor:
        return torch.arange(self.n)[None, :]

    @property
    def distance(self) -> Tensor:
        """j - i of the tokens [queries, n]."""
        return self.j - self.i

    def shared(self, part: Tensor) -> Tensor:
        """Keys or values [batch or none, kv_heads, slots, 16], one for each query head."""
        return part.repeat_interleave(self.heads // part.shape[-3], -3)

    def scores(self, keys: Tensor | None = None) -> Tensor:
        """Scaled products [2, heads, queries, slots] with keys, the tokens by default."""
        return self.q @ self.shared(self.k if keys is None else keys).mT / 4

    def pair(self, slots: int) -> tuple[Tensor, Tensor]:
        """Keys and values of a source."""
        return draw(*self.k.shape[:2], slots, 16), draw(*self.k.shape[:2], slots, 16)

    def softmax(self, *parts: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Output and lse of one softmax over parts (scores, allowed pairs, values)."""
        scores, allowed, values = zip(*parts, strict=True)
        masked = [
            score.masked_fill(~pairs, -torch.inf)
            for score, pairs in zip(scores, allowed, strict=True)
        ]
        everything = torch.cat(masked, -1)
        lse = everything.logsumexp(-1)
        weights = (everything - lse.nan_to_num(neginf=0)[..., None]).exp()
        shape = (*self.q.shape[:2], -1, -1)
        spread = [self.shared(part).expand(shape) for part in values]
        return weights @ torch.cat(spread, 2), lse


@dataclass(frozen=True, slots=True)
class Case:
    """A program, what its module must give for a call, and the run-time inputs of the call."""

    text: str
    out: Tensor
    inputs: dict[str, Any] = field(default_factory=dict)


Cases = dict[str, Callable[[Call], Case]]


def named(*cases: Callable[[Call], Case]) -> Cases:
    return {case.__name__.replace("_", " "): case for case in cases}


@cache
def compiled(text: str) -> ModuleType:
    """The module of a program with small tiles, so that short sequences have many."""
    pattern = Pattern.parse(text)
    return module_of_schedule(
        schedule_of_pattern(pattern, 32, 16),
        text,
        pattern.inputs,
    )


def converted(value: Any, dtype: torch.dtype) -> Any:
    """Floating tensors of an input in another dtype."""
    match value:
        case tuple():
            return tuple(converted(part, dtype) for part in value)
        case Tensor() if value.is_floating_point():
            return value.to(dtype)
        case _:
            return value


def detached(value: Any) -> Any:
    """Floating tensors of an input as leaves of their own."""
    match value:
        case tuple():
            return tuple(detached(part) for part in value)
        case Tensor() if value.is_floating_point():
            return value.detach().clone().requires_grad_()
        case _:
            return value


def gradients(
    case: Case, call: Call, backend: str, dtype: torch.dtype = torch.float64
) -> list[Tensor]:
    """Of a function of the output by q, k, v and every floating input."""
    given = {"q": call.q, "k": call.k, "v": call.v, **case.inputs}
    given = {name: converted(value, dtype) for name, value in given.items()}
    leaves = {name: detached(value) for name, value in given.items()}
    out = compiled(case.text).attention(**leaves, backend=backend)
    flat = [part for leaf in leaves.values() for part in (leaf if type(leaf) is tuple else [leaf])]
    found = torch.autograd.grad(out.square().sum(), flat, allow_unused=True)
    return [
        torch.zeros_like(leaf) if part is None else part
        for leaf, part in zip(flat, found, strict=True)
    ]


def assert_differentiates(
    case: Case, call: Call, backend: str, dtype: torch.dtype, bound: float
) -> None:
    """The gradients are those of the reference; of several queries some are not zero."""
    found, wanted = gradients(case, call, backend, dtype), gradients(case, call, "reference")
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)
    alone = call.q.shape[2] == 1
    assert alone or any(part.abs().max() > 0 for part in wanted if part.numel())


def assert_computes(
    case: Case, call: Call, backend: str, dtype: torch.dtype, bound: float, **options: Any
) -> None:
    parts = (call.q, call.k, call.v)
    inputs = converted_inputs(case, dtype)
    out = compiled(case.text).attention(
        *converted(parts, dtype), **inputs, backend=backend, **options
    )
    assert out.dtype == dtype
    torch.testing.assert_close(out.double(), case.out, rtol=bound, atol=bound)


def converted_inputs(case: Case, dtype: torch.dtype) -> dict[str, Any]:
    return {name: converted(value, dtype) for name, value in case.inputs.items()}


EXACT = [("reference", torch.float64, 1e-9), ("cpu", torch.float64, 1e-9)]
WAYS = [*EXACT, ("triton", torch.float32, 3e-5)]
GRADED = [("cpu", torch.float64, 1e-9), ("triton", torch.float32, 5e-5)]
# One token, more tokens than queries with a key head that query heads share, and fewer tokens.
SHAPES = [(1, 1, 2), (23, 60, 1), (45, 19, 2)]
