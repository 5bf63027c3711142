"""Patterns that between them use every part of a generated module, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import torch

from patternc import Pattern
from patternc.runtime.load import load_module
from tests.compiled import source_of_schedule
from tests.schedules import schedule_of_pattern

Inputs = dict[str, torch.Tensor]


def _none(n: int, heads: int) -> Inputs:
    return {}


def _labels(n: int, heads: int) -> Inputs:
    return {"document": torch.randint(-1, 4, (n,)).sort().values}


def _batch_of_labels(n: int, heads: int) -> Inputs:
    return {"document": torch.randint(-1, 4, (2, n), dtype=torch.int32)}


def _set(n: int, heads: int) -> Inputs:
    return {"question": torch.rand(n) < 0.1}


def _batch_of_sets(n: int, heads: int) -> Inputs:
    return {"question": torch.rand(2, n) < 0.1}


def _positions(n: int, heads: int) -> Inputs:
    return {"question": torch.tensor([0, -1, n // 2] if n else [], dtype=torch.int64)}


def _plan(n: int, heads: int) -> Inputs:
    rows = -(-n // 16)
    return {"plan": torch.randint(-1, rows, (rows, 2))}


def _plan_of_heads(n: int, heads: int) -> Inputs:
    rows = -(-n // 16)
    return {"plan": torch.randint(-1, rows, (heads, rows, 2))}


def _plan_of_batch(n: int, heads: int) -> Inputs:
    rows = -(-n // 16)
    return {"plan": torch.randint(-1, rows, (2, heads, rows, 2))}


def _blocks_of_keys(n: int, heads: int) -> Inputs:
    return {"selected": torch.randint(-1, max(0, -(-n // 16)), (2, heads, n, 2))}


def _parts(n: int, heads: int) -> Inputs:
    return {"chosen": torch.tensor([1, -1]), "plan": torch.randint(-1, 2, (2, 1))}


def _trees(n: int, heads: int) -> Inputs:
    """Of a batch and heads: the numbers of tokens in preorder, and those behind the last below."""
    tin = torch.arange(n)
    return {"tin": tin, "tout": (tin + torch.randint(1, 40, (2, heads, n))).clamp(max=n)}


def _places(n: int, heads: int) -> Inputs:
    """Positions of a sequence that is padded on the left."""
    return {"pos": torch.arange(n) - n // 3}


def _anchors(n: int, heads: int) -> Inputs:
    return {"anchor": (torch.arange(n) // 20 * 20).expand(2, 1, n)}


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    inputs: Callable[[int, int], Inputs] = _none


CASES = {
    "full": Case("full"),
    "nothing": Case("allow empty\nnone"),
    "causal": Case("causal"),
    "band and tokens": Case("heads 2\nlocal(left=40, right=30) + global([0, -1])"),
    "windows by head": Case("heads 3\nlocal(5 + 9 * head)"),
    "dilated by head and layer": Case(
        "causal\nlayers 3\nheads 4\nlayer >= 1 and head < 2 -> local(left=7, dilation=layer + 1)\n"
        "else -> local(left=15)"
    ),
    "draws": Case(
        "layers 2\nheads 3\nblocks(16) { local(1) + global([0, -1]) + random(3, pool=1:16) }"
    ),
    "draws of the past": Case("causal\nlocal(2) + random(4, seed=5)"),
    "draws beside a set": Case("local(3) + global(question) + random(2)", _set),
    "mix": Case(
        "causal\nheads 2\nmix(segment(16), segment(32, dilation=2, offset=head), segment(16))"
    ),
    "documents": Case("causal\nsame(document) & local(left=40)", _labels),
    "documents of a batch": Case("full - same(document)", _batch_of_labels),
    "questions of a batch": Case("local(9) + global(question)", _batch_of_sets),
    "questions by position": Case("local(9) + global(question)", _positions),
    "lists": Case("blocks(16) { diagonal + listed(plan) }", _plan),
    "lists of heads": Case("heads 2\nblocks(16) { diagonal + listed(plan) }", _plan_of_heads),
    "lists of a batch": Case("blocks(16) { diagonal + listed(plan) }", _plan_of_batch),
    "lists of key blocks": Case(
        "heads 2\ncausal\nlisted(selected, block=16) + local(left=3)", _blocks_of_keys
    ),
    "permutations": Case(
        "heads 2\nhead == 0 -> permuted([3, 1, 2, 0, 4]) + diagonal\n"
        "else -> permuted([1, 0, 2]) + diagonal"
    ),
    "parts": Case("heads 2\nhead < 1 -> blocks(parts=2) { permuted([1, 0]) }\nelse -> full"),
    "parts by input": Case("blocks(parts=2) { columns(chosen) + listed(plan) }", _parts),
    "prefix trees": Case("heads 3\nvisible(tin, tout)", _trees),
    "a window by positions": Case(
        "where(pos[i] >= 0 and pos[j] >= 0 and abs(pos[i] - pos[j]) < 9) + columns([-1])", _places
    ),
    "anchors": Case(
        "layers 2\nlayer == 0 -> before(anchor) + diagonal\n"
        "else -> where(anchor[j] // 20 % 2 == 0 and anchor[i] != anchor[j]) + local(3)",
        _anchors,
    ),
    "scattered": Case("diagonal + columns([0, 3, 9, 20, 33, 50, -1, -5])"),
    "negative divisions": Case(
        "where((i - 100) // 7 == (j - 100) // 7 or (3 * i - n) % 5 == j % 5)"
    ),
    "wide products": Case("where(1000003 * i + 7 * j < 500 * n and abs(i - j) % 7 < 3)"),
}
SIZES = [(1, 1), (33, 33), (131, 131), (90, 40), (50, 70)]


def pattern_of(name: str) -> Pattern:
    return Pattern.parse(CASES[name].text)


@cache
def source_of(name: str, tiles: tuple[int, int] = (32, 16)) -> str:
    """The module of a case with small tiles, so that short sequences have many."""
    pattern = pattern_of(name)
    schedule = schedule_of_pattern(pattern, *tiles)
    return source_of_schedule(schedule, pattern.text, pattern.inputs, name)


def module_of(name: str) -> ModuleType:
    return load_module(source_of(name))


def inputs_of(name: str, n: int, heads: int) -> Inputs:
    torch.manual_seed(n)
    return CASES[name].inputs(n, heads)


def tensors(
    heads: int, queries: int, n: int, size: int, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, ...]:
    """q, k, v for a batch of two."""
    torch.manual_seed(queries + 7 * n)
    shapes = [(2, heads, rows, size) for rows in (queries, n, n)]
    return tuple(torch.randn(shape, dtype=torch.float64).to(dtype) for shape in shapes)
