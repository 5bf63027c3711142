"""Distances of the call: vertical and slash lines of every head, in every backend and count."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from patternc import Pattern

N, HEADS = 150, 2
LINES = "causal\noffsets(slash) + where(vertical[j] == 1)"
_pattern = cache(Pattern.parse)


def _given(*leading: int) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    slash = torch.randint(-3, N + 20, (*leading, 6), generator=random)
    return {"slash": slash, "vertical": torch.randint(0, 9, (2, HEADS, N), generator=random)}


def _dense(given: dict[str, torch.Tensor]) -> torch.Tensor:
    i, j = torch.arange(N)[:, None], torch.arange(N)
    slash = given["slash"].expand(2, HEADS, -1)
    lines = [[torch.isin(i - j, head) for head in element] for element in slash]
    held = torch.stack([torch.stack(element) for element in lines])
    return (held | (given["vertical"][:, :, None] == 1)) & (j <= i)


@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
def test_lines_are_those_of_each_head_and_batch_element(backend: str) -> None:
    torch.manual_seed(0)
    for leading in ((), (HEADS,), (2, HEADS)):
        given = _given(*leading)
        parts = torch.randn(3, 2, HEADS, N, 8).requires_grad_()
        own = parts.detach().clone().requires_grad_()
        found = _pattern(LINES).attention(*parts, backend=backend, **given)
        scores = own[0] @ own[1].mT / 8**0.5
        weights = scores.masked_fill(~_dense(given), -torch.inf).softmax(-1).nan_to_num(0)
        wanted = weights @ own[2]
        torch.testing.assert_close(found, wanted)
        torch.testing.assert_close(
            *(
                torch.autograd.grad(out.sin().sum(), x)[0]
                for out, x in ((found, parts), (wanted, own))
            )
        )


def test_masks_counts_and_tiles_follow_the_distances() -> None:
    pattern, given = _pattern("causal\noffsets(slash)"), np.array([0, 1, 2, 3, 64])
    held = pattern.mask(N, slash=given)
    distance = np.arange(N)[:, None] - np.arange(N)
    assert np.array_equal(held[0], np.isin(distance, given))
    assert pattern.pairs(N, slash=given) == [held.sum()]
    # Tiles of 16 on the diagonal, beside it, and four and five tiles away.
    assert pattern.layout(N, 16, slash=given).counts().partial[0] < 40
    block_mask = pattern.block_mask(N, block_size=16, slash=torch.from_numpy(given))
    assert torch.equal(
        create_mask(block_mask.mask_mod, 1, 1, N, N, "cpu")[0], torch.from_numpy(held)
    )
    assert block_mask.sparsity() > 60
    blocks = _pattern("blocks(16) { offsets(slash) }")
    assert blocks.pairs(160, slash=[0, 1]) == [19 * 256]


def test_padding_and_few_queries_leave_distances_as_they_are() -> None:
    pattern, q = _pattern("causal\noffsets(slash)"), torch.randn(2, HEADS, N, 8)
    slash = torch.tensor([0, 1, 5])
    whole = pattern.attention(q, q, q, slash=slash)
    torch.testing.assert_close(pattern.attention(q[:, :, -2:], q, q, slash=slash), whole[:, :, -2:])
    real, own = torch.arange(N) >= torch.tensor([[0], [7]]), q[1:, :, 7:]
    padded = pattern.attention(q, q, q, slash=slash, key_padding=real)
    torch.testing.assert_close(padded[1:, :, 7:], pattern.attention(own, own, own, slash=slash))


def test_what_is_no_list_of_distances_is_refused() -> None:
    pattern, q = _pattern("causal\noffsets(slash)"), torch.randn(2, HEADS, N, 8)
    for wrong, kind in ((torch.zeros(3), TypeError), (torch.zeros(3, 4).long(), ValueError)):
        with pytest.raises(kind, match=r"expected .*integers \[k\]"):
            pattern.attention(q, q, q, slash=wrong)
    with pytest.raises(ValueError, match="must be integers"):
        pattern.mask(N, slash=[0.5])
    with pytest.raises(ValueError, match="`slash` is missing"):
        pattern.mask(N)
