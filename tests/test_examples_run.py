"""The module of every example against its own reference, on the CPU and under the interpreter.

Kernels and their gradients with few heads and slots, where a program counts them only, and a
quarter of the kernels in half precision. `make sweep` takes all, and the numbers that are
published. The CPU path of most is compared, with its gradients, in `emit/test_cpu.py`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from patternc.runtime.selftest import with_self_test
from patternc.zoo import published, zoo
from tests.compiled import module_of_pattern
from tests.emit import test_cpu
from tests.emit.dense import converted
from tests.emit.test_work_split import graded, sample
from tests.examples import ALIKE, SMALLER, WITHOUT_ATTENTION

# Grids have one length; these are the smallest that hold the windows.
GRIDS = {
    "kandinsky": 31 * 4 * 6 * 2,
    "ltx2": 8 * 16 * 16,
    "crossformer": 8 * 8,
    "maxvit": 9 * 9,
    "natten_1d": 52,
    "natten_1d_causal": 52,
    "natten_2d": 26 * 26,
    "natten_2d_causal": 13 * 13,
    "qwen_vision": 4 * 6 * 6,
    "sam": 10 * 10,
    "sliding_tile": 5 * 6 * 10 * 2 + 8,
    "sliding_tile_2d": 8 * 8 * 4,
    "swin": 10 * 10,
}
PARAMETERS = {
    **SMALLER,
    "adaptive_span": {"span": 60},
    "adaptive_span_dynamic": {"span": 60},
    "all_attention": {"span": 60},
    "memorizing": {"kept": 200},
    "natten_1d": {"length": 52},
    "natten_1d_causal": {"length": 52},
    "natten_2d_causal": {"side": 13},
    "swin": {"side": 10, "window": 4},
    "maxvit": {"side": 9, "size": 3},
    "crossformer": {"side": 8},
    "sam": {"side": 10},
    "qwen_vision": {"side": 6},
    "tree_decoding": {"text": 20},
}
_SLOTS = re.compile(r"\b((?:memory|compressed|persistent|project|store)\(|stream\(\w+, )\d+")
# Windows that would not fit these slots, or a smaller grid; fewer classes and heads of a kind.
NUMBERS = {
    "kandinsky": ("[31, 4, 6], radius=[5, 1, 1]", "[5, 3, 4], radius=[2, 1, 1]"),
    "ltx2": ("[8, 16, 16]", "[3, 4, 5]"),
    "longformer_lm": ("layers 12", "layers 8"),
    "sam": ("size=[14, 14]", "size=[4, 4]"),
    "longlora": ("heads 32", "heads 4"),
    "natten_2d": ("radius=[6, 6]", "radius=[2, 2]"),
    "sliding_tile": ("[5, 6, 10]", "[3, 3, 4]"),
    "sliding_tile_2d": ("[8, 8]", "[4, 4]"),
    "sparse_transformer_alternating": ("strided(128)", "strided(16)"),
    "sparse_transformer_strided": ("strided(128)", "strided(16)"),
    "transformer_xl_same_length": ("left=2099", "left=23"),
}
SMALL_GRIDS = {
    **GRIDS,
    "kandinsky": 5 * 3 * 4 * 2,
    "ltx2": 3 * 4 * 5,
    "natten_2d": 10 * 10,
    "sliding_tile": 3 * 3 * 4 * 2 + 8,
    "sliding_tile_2d": 4 * 4 * 4,
}
SMALL_PARAMETERS = {**PARAMETERS, "natten_2d": {"side": 10}}


@pytest.fixture(autouse=True)
def poisoned():
    """Outputs that nobody writes are NaN."""
    torch.set_deterministic_debug_mode("warn")
    yield
    torch.set_deterministic_debug_mode("default")


def small(name: str) -> str:
    """The text of an example with 24 slots of each kind, and two heads if rules name no head."""
    lines = published(name).replace(*NUMBERS.get(name, ("", ""))).splitlines(keepends=True)
    text = _SLOTS.sub(r"\g<1>24", "".join(line for line in lines if not line.startswith("#")))
    return text if re.search(r"\bhead\b", text) else re.sub(r"\bheads \d+", "heads 2", text)


def is_smaller(name: str) -> bool:
    return small(name).strip() not in published(name)


@cache
def module_of(name: str) -> ModuleType:
    return module_of_pattern(Pattern.from_zoo(name, **PARAMETERS.get(name, {})))


def distinct_layers(module: ModuleType, name: str) -> list[int]:
    """One layer of each kind that the module tells apart in the rows of the tokens."""
    kinds = module._GROUP_OF_LAYER[: module.LAYERS or 1]
    layers = [kinds.index(kind) for kind in sorted(set(kinds))]
    return [layer for layer in layers if layer not in WITHOUT_ATTENTION.get(name, ())]


def asking(module: ModuleType) -> list[dict[str, Any]]:
    """What a call says of its rows: nothing for the tokens', a name for the others."""
    return [{}, *({"rows": rows} for rows in getattr(module, "_ROWS", ()))]


def call(
    module: ModuleType, name: str, n: int, rows: dict[str, Any]
) -> tuple[list[torch.Tensor], dict[str, Any]]:
    """q, k, v and inputs in float64."""
    torch.manual_seed(n)
    size = GRIDS.get(name, n)
    *parts, inputs = with_self_test(module)._sample_call(size, size, **rows)
    return parts, inputs


def assert_equal(name: str, n: int, backend: str, dtype: torch.dtype, bound: float) -> None:
    module = module_of(name)
    for layer, rows in itertools.product(distinct_layers(module, name), asking(module)):
        parts, inputs = call(module, name, n, rows)
        low = [part.to(dtype) for part in parts]
        given = {key: module._moved(value, "cpu", dtype) for key, value in inputs.items()}
        exact = {key: module._moved(value, "cpu", torch.float64) for key, value in given.items()}
        options = {"layer": layer, **rows}
        found = module.attention(*low, backend=backend, **options, **given)
        wanted = module.reference(*(part.double() for part in low), **options, **exact)
        assert wanted.abs().max() > 0.01
        size = max(1.0, wanted.abs().max().item())
        torch.testing.assert_close(found.double(), wanted, rtol=bound, atol=bound * size)


def some(names: Iterable[str], left_out: Collection[str]) -> list[Any]:
    """All names, those that are left out for `make sweep` alone."""
    return [
        pytest.param(name, marks=[pytest.mark.sweep] if name in left_out else []) for name in names
    ]


@pytest.mark.parametrize("name", some(zoo(), ALIKE.union(test_cpu.EXAMPLES)))
def test_the_cpu_path_is_the_reference(name):
    assert_equal(name, 150, "cpu", torch.float64, 1e-10)


@pytest.mark.parametrize("name", some(zoo(), ALIKE))
def test_the_kernels_and_their_gradients_are_those_of_the_reference(name):
    """Of out and lse by q, k, v and every floating input; tiles so small that there are several."""
    assert_equal_gradients(name, small(name), SMALL_GRIDS, **SMALL_PARAMETERS.get(name, {}))


@pytest.mark.sweep
@pytest.mark.parametrize("name", list(filter(is_smaller, zoo())))
def test_as_published_the_kernels_and_their_gradients_are_those_of_the_reference(name):
    assert_equal_gradients(name, published(name), GRIDS, **PARAMETERS.get(name, {}))


def assert_equal_gradients(
    name: str, text: str, grids: dict[str, int], /, **parameters: int
) -> None:
    module = module_of_pattern(Pattern.parse(text, **parameters), tiles=(32, 16))
    n, queries = (grids[name],) * 2 if name in grids else (45, 37)
    for layer, rows in itertools.product(distinct_layers(module, name), asking(module)):
        options = {"layer": layer, **rows}
        low = sample(module, n, queries, **rows)
        low = {key: converted(value, torch.float32) for key, value in low.items()}
        found = graded(module, low, "triton", torch.float32, **options)
        wanted = graded(module, low, "reference", torch.float64, **options)
        assert wanted[0].abs().max() > 0.01
        assert any(part.abs().max() > 0.01 for part in wanted[2:])
        for one, other in zip(found, wanted, strict=True):
            size = max(1.0, other.masked_fill(~other.isfinite(), 0).abs().amax().item())
            bounds = {"rtol": 2e-5, "atol": 2e-5 * size, "equal_nan": True}
            torch.testing.assert_close(one.double(), other, **bounds)


@pytest.mark.parametrize("name", some(zoo(), ALIKE | set(zoo()) - set(list(zoo())[::4])))
def test_the_kernel_in_half_precision_is_the_reference(name):
    assert_equal(name, 45, "triton", torch.float16, 5e-3)
