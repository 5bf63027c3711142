"""Parts of the sequence: a pattern at other positions, and in every room the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.semantics.errors import LengthError

INSIDE = [
    "local(1) + columns([-1])",
    "segment(3) & causal",
    "blocks(2) { diagonal + columns([0]) }",
    "blocks(parts=3) { causal }",
    "columns([0, 2, 4, 6, 8, -2]) + rows([1])",
    "permuted([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])",
    "where(i + j == n - 1) + global([-1])",
]


# The ends of a part as text, a length, and the ends as numbers.
PARTS = [
    ("3:14", 20, 3, 14),
    (":-4", 17, 0, 13),
    ("-9:", 12, 3, 12),
    ("2:n // 2 + 4", 19, 2, 13),
    ("5:", 5, 5, 5),
]


@pytest.mark.parametrize("inside", INSIDE)
def test_a_part_is_the_pattern_of_its_length_at_its_place(inside: str) -> None:
    alone = Pattern(inside)
    for text, n, start, stop in PARTS:
        wanted = np.zeros((n, n), np.bool_)
        wanted[start:stop, start:stop] = alone.mask(stop - start)[0]
        pattern = Pattern(f"within({text}) {{ {inside} }}")
        assert np.array_equal(pattern.mask(n)[0], wanted)
        assert pattern.pairs(n) == [wanted.sum()]
        queries = pattern.mask(n, queries=n + 2)[0]
        assert not queries[:2].any()
        assert np.array_equal(queries[2:], wanted)


def test_parts_and_blocks_nest_in_any_order() -> None:
    assert Pattern("within(2:) { within(1:-1) { causal } }").mask(9)[0, 3:8, 3:8].sum() == 15
    coarse = Pattern("blocks(2) { within(1:3) { full } }").mask(9)[0]
    assert np.array_equal(np.argwhere(coarse).min(0), [2, 2])
    assert coarse.sum() == 16


def test_a_grid_behind_a_text_has_the_positions_of_its_part() -> None:
    pattern = Pattern("columns([:3]) + within(3:) { neighborhood([4, 5], radius=[1, 1]) }")
    assert pattern.fitting() == (23, 23)
    alone = Pattern("neighborhood([4, 5], radius=[1, 1])").mask(20)[0]
    assert np.array_equal(pattern.mask(23)[0, 3:, 3:], alone)
    with pytest.raises(LengthError):
        pattern.mask(24)
    assert (
        Pattern("within(:20) { neighborhood([4, 5], radius=[1, 1]) }").mask(31).sum() == alone.sum()
    )


def test_modules_attend_within_parts() -> None:
    torch.manual_seed(0)
    pattern = Pattern("within(:9) { full } + within(9:) { segment(8) & causal } + columns([0])")
    q, k, v = torch.randn(3, 2, 2, 70, 16, dtype=torch.float64).unbind()
    held = torch.from_numpy(pattern.mask(70))
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=held)
    torch.testing.assert_close(pattern.attention(q, k, v), wanted)
    kernels = pattern.attention(*(part.float() for part in (q, k, v)), backend="triton")
    torch.testing.assert_close(kernels.double(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "mix(within(:n // 2) { full }, diagonal)",
        "random(2, avoid=within(:n // 2) { full }) + within(:n // 2) { full }",
    ],
)
def test_ends_that_count_n_stand_wherever_a_set_does(text: str) -> None:
    first = np.tri(9, dtype=bool) | ~np.tri(9, dtype=bool)
    first[4:] = first[:, 4:] = False
    assert Pattern(text).mask(9)[0][first].all()
