"""Every case of sources and of score modifiers, on every backend, against what it says by hand.

Each backend takes another of the shapes, of each case another; `make sweep` takes all.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.emit import test_scores, test_sources
from tests.emit.dense import SHAPES, WAYS, Call, Case, assert_computes, compiled

CASES = test_sources.CASES | test_scores.CASES


def case_of(name: str, call: Call) -> Case:
    return CASES[name](call)


@pytest.mark.parametrize(
    ("name", "queries", "n", "kv_heads", "backend", "dtype", "bound"),
    [
        pytest.param(
            *(name, *shape, *way), marks=[pytest.mark.sweep] if (number + turn + at) % 3 else []
        )
        for number, name in enumerate(CASES)
        for turn, shape in enumerate(SHAPES)
        for at, way in enumerate(WAYS)
    ],
)
def test_outputs_are_those_written_down(
    name: str, queries: int, n: int, kv_heads: int, backend: str, dtype: torch.dtype, bound: float
) -> None:
    call = Call.of(queries, n, kv_heads)
    assert_computes(case_of(name, call), call, backend, dtype, bound)


@pytest.mark.parametrize("name", CASES)
def test_outputs_on_the_cpu_in_single_precision(name: str) -> None:
    call = Call.of(23, 60, kv_heads=1)
    assert_computes(case_of(name, call), call, "cpu", torch.float32, 1e-5)


@pytest.mark.parametrize(
    "name", ["memory", "pool of the past", "projection", "softcap", "t5", "several"]
)
def test_outputs_in_half_precision(name: str) -> None:
    call = Call.of(45, 60)
    assert_computes(case_of(name, call), call, "triton", torch.float16, 4e-3)


# (program, the inputs beside it, the one that is missing); pooled slots alone are optional.
NEEDED: dict[str, tuple[str, dict[str, Any], str]] = {
    f"{name} of {text}": (text, others, name)
    for text, others, name in [
        *((text, {}, name) for text, name, _ in test_sources.WRONG.values() if name != "pool_kv"),
        *((text, others, name) for text, others, name, _ in test_scores.WRONG.values()),
    ]
}


@pytest.mark.parametrize("what", NEEDED)
def test_a_missing_input_is_an_error_with_its_name(what: str) -> None:
    text, inputs, missing = NEEDED[what]
    call = Call.of(23, 60)
    others = {name: value for name, value in inputs.items() if name != missing}
    with pytest.raises(TypeError, match=f"'{missing}' is missing"):
        compiled(text).attention(call.q, call.k, call.v, **others)
