"""What holds of the CPU path beside equal results: classes, dropout, derivatives, influence."""

from __future__ import annotations

import re
from functools import cache
from types import ModuleType

import pytest
import torch

from patternc import Pattern
from patternc.runtime.selftest import with_self_test
from patternc.zoo import published, zoo
from tests.compiled import module_of_schedule
from tests.emit.test_attention import gradients
from tests.examples import ALIKE, WITHOUT_ATTENTION
from tests.schedules import schedule_of_pattern

Tensor = torch.Tensor


@cache
def module_of(text: str, key_tile: int = 16) -> ModuleType:
    """The module of a program with small tiles, cut into classes where that pays."""
    pattern = Pattern.parse(text)
    schedule = schedule_of_pattern(pattern, 32, key_tile)
    return module_of_schedule(schedule, text, pattern.inputs)


def tensors(heads: int, queries: int, n: int, size: int = 8, kv_heads: int = 0) -> list[Tensor]:
    torch.manual_seed(queries + 7 * n)
    shapes = [(2, heads, queries), *[(2, kv_heads or heads, n)] * 2]
    return [torch.randn(*shape, size, dtype=torch.float64) for shape in shapes]


CLASSED = {
    "dilated": "local(5, dilation=8)",
    "one tile a class": "local(3, dilation=40)",
    "window and stride": "causal\nlocal(left=7) + strided(8)",
    "segments by head": (
        "causal\nheads 4\n"
        "mix(segment(16), segment(32, dilation=2, offset=head % 2), "
        "segment(96, dilation=6, offset=head % 6))"
    ),
    "rows of one residue": "segment(48, dilation=5, offset=2) + local(2)",
}


@pytest.mark.parametrize("name", CLASSED)
def test_classes_of_positions_are_the_same_attention(name: str) -> None:
    module = module_of(CLASSED[name])
    for n, queries in [(1, 1), (261, 261), (300, 7), (300, 1), (33, 90)]:
        parts = tuple(tensors(module.HEADS or 2, queries, n))
        found = gradients(module, parts, "cpu", 0, {})
        for one, other in zip(found, gradients(module, parts, "reference", 0, {}), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


GRADED = {
    "window and tokens": "local(left=9) + global([0])",
    "rows without keys": "local(left=-3, right=6)",
    "draws": "local(2) + random(3)",
    "strides": "causal\nlocal(left=2) + strided(4)",
    "softcap": "local(left=9) with softcap(3)",
    "sinks and slopes": "local(left=9) with alibi + columns([0]) with sink",
}


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize(("queries", "n"), [(20, 20), (5, 30), (31, 17)])
def test_gradcheck(name: str, queries: int, n: int) -> None:
    module = module_of(GRADED[name])
    parts = [part[:1].requires_grad_() for part in tensors(2, queries, n, 4, kv_heads=1)]
    inputs = {name: torch.randn(2, dtype=torch.float64) for name in module.INPUTS}
    leaves = [*parts, *(value.requires_grad_() for value in inputs.values())]

    def call(q: Tensor, k: Tensor, v: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        named = dict(zip(inputs, given, strict=True))
        out, lse = module.attention(q, k, v, return_lse=True, dropout=0.2, seed=3, **named)
        return out, lse.masked_fill(lse == -torch.inf, 0)

    assert torch.autograd.gradcheck(call, leaves, fast_mode=True)


DROPPED = ["mix(segment(16), local(9))", "blocks(8) { local(1) + random(2) }", "strided(6)"]


@pytest.mark.parametrize("text", DROPPED)
def test_dropout_drops_the_pairs_that_the_reference_drops(text: str) -> None:
    module = module_of(text)
    parts = tuple(tensors(2, 50, 70))
    dropped = {"dropout": 0.3, "seed": 11}
    found = gradients(module, parts, "cpu", 0, dropped)
    for one, other in zip(found, gradients(module, parts, "reference", 0, dropped), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    whole = module.attention(*parts, return_lse=True)
    assert torch.equal(whole[1], found[1])
    assert not torch.equal(whole[0], found[0])


def test_dropout_keeps_the_mean_and_follows_the_seed() -> None:
    module = module_of("full")
    q = torch.zeros(3, 2, 400, 4)
    ones = torch.ones(3, 2, 400, 4)

    def out(seed: int | None) -> Tensor:
        found: Tensor = module.attention(q, q, ones, dropout=0.25, seed=seed)[..., 0]
        return found

    assert torch.equal(out(5), out(5))
    assert not torch.equal(out(5), out(6))
    torch.manual_seed(1)
    drawn = out(None)
    assert not torch.equal(drawn, out(None))
    torch.manual_seed(1)
    assert torch.equal(drawn, out(None))
    # 960,000 random numbers: the mean of what is kept is within five standard deviations.
    assert abs(out(5).mean().item() - 1) < 5 * (0.25 / 0.75 / 960_000) ** 0.5
    assert out(5).flatten(0, 2).unique().numel() > 20


# A grid has one length.
GRID = re.compile(r"^[^#\n]*\b(neighborhood|windows)\(", re.MULTILINE)
EXAMPLES = [name for name in zoo() if not GRID.search(published(name)) and "image" not in name]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.sweep] * (name in ALIKE)) for name in EXAMPLES],
)
def test_gradients_of_examples_are_those_of_the_reference(name: str) -> None:
    smaller = {"kept": 200} if name == "memorizing" else {}
    module = Pattern.from_zoo(name, **smaller).module
    torch.manual_seed(0)
    kinds = module._GROUP_OF_LAYER[: module.LAYERS or 1]
    layers = {kinds.index(kind) for kind in (min(kinds), max(kinds))}
    for layer in layers - WITHOUT_ATTENTION.get(name, set()):
        call = with_self_test(module)._sample_call(197, 131, head_dim=4)
        assert module._error({"layer": layer}, *call, "cpu", "cpu", torch.float64) < 1e-10


@pytest.mark.parametrize("name", ["bigbird", "longformer_lm", "gemma2", "sparse_transformer_fixed"])
def test_keys_that_no_row_asks_do_not_matter(name: str) -> None:
    module = Pattern.from_zoo(name).module
    n = 200
    q, k, v = (part.float() for part in tensors(module.HEADS or 2, n, n))
    asked = module.mask(n)
    before = module.attention(q, k, v)
    for row in (0, 70, n - 1):
        for head in range(len(asked)):
            other = ~asked[head, row]
            changed = [part.clone() for part in (k, v)]
            for part in changed:
                part[:, head, other] += 100 * torch.randn(2, int(other.sum()), 8)
            after = module.attention(q, *changed)
            assert torch.equal(before[:, head, row], after[:, head, row])


def test_bands_count_upwards_in_whatever_order_rectangles_come() -> None:
    module = module_of("local(9)")
    shapes = module._Shapes(torch.zeros(0, 32, 16, dtype=torch.bool))
    shape = shapes.plain(32, 32)
    places = [(64, 64), (32, 32), (0, 0), (96, 200), (32, 200), (128, 7)]
    rectangles = [module._Rectangle(shape, row, key) for row, key in places]
    bands, left = module._bands(rectangles, shapes, 1)
    assert not left
    assert [(band.row, band.row_shift, band.count) for band in bands if band.count > 1] == [
        (0, 32, 3)
    ]
    assert all(band.row_shift >= 0 and band.key_shift >= 0 for band in bands)
