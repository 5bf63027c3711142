"""The module of every example against its own reference, on the CPU and under the interpreter."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from patternc.runtime.load import load_module
from patternc.zoo import zoo

# Grids have one length; these are the smallest that hold the windows.
GRIDS = {"natten_1d": 52, "natten_1d_causal": 52, "natten_2d": 26 * 26, "natten_2d_causal": 13 * 13}
PARAMETERS = {
    "adaptive_span": {"span": 60},
    "all_attention": {"span": 60},
    "natten_1d": {"length": 52},
    "natten_1d_causal": {"length": 52},
    "natten_2d": {"side": 26},
    "natten_2d_causal": {"side": 13},
    "tree_decoding": {"text": 20},
}


@pytest.fixture(autouse=True)
def poisoned():
    """Outputs that nobody writes are NaN."""
    torch.set_deterministic_debug_mode("warn")
    yield
    torch.set_deterministic_debug_mode("default")


@pytest.fixture(autouse=True, scope="module")
def module_cache(tmp_path_factory):
    """Generated modules of the tests go where pytest clears up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATTERNC_CACHE_DIR", str(tmp_path_factory.mktemp("modules")))
        yield


def module_of(name: str) -> ModuleType:
    return load_module(Pattern.from_zoo(name, **PARAMETERS.get(name, {})).compile())


def distinct_layers(module: ModuleType) -> list[int]:
    """One layer of each kind that the module tells apart in the rows of the tokens."""
    kinds = module._GROUP_OF_LAYER[: module.LAYERS or 1]
    return [kinds.index(kind) for kind in sorted(set(kinds))]


def asking(module: ModuleType) -> list[dict[str, Any]]:
    """What a call says of its rows: nothing for the tokens', a name for the others."""
    return [{}, *({"rows": rows} for rows in getattr(module, "_ROWS", ()))]


def call(
    module: ModuleType, name: str, n: int, rows: dict[str, Any]
) -> tuple[list[torch.Tensor], dict[str, Any]]:
    """q, k, v and inputs in float64."""
    torch.manual_seed(n)
    size = GRIDS.get(name, n)
    *parts, inputs = module._sample_call(size, size, **rows)
    return parts, inputs


def with_gradients(out: torch.Tensor, leaves: list[torch.Tensor]) -> list[torch.Tensor]:
    """The output, and the gradients of its squares where they are asked for."""
    if not out.requires_grad:
        return [out]
    found = torch.autograd.grad(out.square().sum(), leaves, materialize_grads=True)
    return [out.detach(), *found]


def assert_equal(
    name: str, n: int, backend: str, dtype: torch.dtype, bound: float, graded: bool = False
) -> None:
    module = module_of(name)
    for layer, rows in itertools.product(distinct_layers(module), asking(module)):
        parts, inputs = call(module, name, n, rows)
        low = [part.to(dtype).requires_grad_(graded) for part in parts]
        high = [part.detach().double().requires_grad_(graded) for part in low]
        given = {key: module._moved(value, "cpu", dtype) for key, value in inputs.items()}
        exact = {key: module._moved(value, "cpu", torch.float64) for key, value in given.items()}
        options = {"layer": layer, **rows}
        found = module.attention(*low, backend=backend, **options, **given)
        wanted = module.reference(*high, **options, **exact)
        assert wanted.abs().max() > 0.01
        pairs = zip(with_gradients(found, low), with_gradients(wanted, high), strict=True)
        for one, other in pairs:
            size = max(1.0, other.abs().max().item())
            torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound * size)


@pytest.mark.parametrize("name", zoo())
def test_the_cpu_path_is_the_reference(name):
    assert_equal(name, 150, "cpu", torch.float64, 1e-10)


@pytest.mark.parametrize("name", zoo())
def test_the_kernels_and_their_gradients_are_those_of_the_reference(name):
    assert_equal(name, 45, "triton", torch.float32, 2e-5, graded=True)


@pytest.mark.parametrize("name", zoo())
def test_the_kernel_in_half_precision_is_the_reference(name):
    assert_equal(name, 45, "triton", torch.float16, 5e-3)
