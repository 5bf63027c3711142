"""Tables of scores that hold -inf: a bias as a mask, as callers of other libraries bring one."""

from __future__ import annotations

import pytest
import torch

from tests.emit.test_cpu import module_of
from tests.emit.test_work_split import assert_same, sample

# Left padding: the first tiles of keys are hidden from all rows; row 1 sees nothing.
TEXTS = [
    "full with bias(near)",
    "causal\nfull with bias(near)",
    "local(20) with bias(near) with sink",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(("n", "queries"), [(61, 61), (61, 3), (21, 30)])
def test_keys_that_a_bias_hides_are_as_good_as_none(text: str, n: int, queries: int) -> None:
    module = module_of(text)
    call = sample(module, n, queries)
    call["near"][..., : min(n - 1, 37)] = -torch.inf
    call["near"][..., 1, :] = -torch.inf
    assert_same(module, call)


def test_buckets_of_minus_infinity_hide_their_distances() -> None:
    module = module_of("full with t5(8, 20)")
    call = sample(module, 61, 61)
    call["t5_bias"][[0, 3, 7]] = -torch.inf
    assert_same(module, call)
