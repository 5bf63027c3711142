"""Centroids follow the unit vectors that are nearest to them."""

from __future__ import annotations

import pytest
import torch

from patternc.nn import updated_means


def test_means_move_to_their_members_and_stay_without_any() -> None:
    means = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])
    q, k = torch.tensor([[[[3.0, 0.3]]]]), torch.tensor([[[[0.2, 5.0], [-0.1, 2.0]]]])
    moved = updated_means(means, q, k, decay=0.0)
    unit = torch.nn.functional.normalize
    second = unit(unit(k, dim=-1).sum(2), dim=-1)
    wanted = torch.stack([unit(q[0, 0, 0], dim=0), second[0, 0], means[0, 2]])
    torch.testing.assert_close(moved[0], wanted)
    torch.testing.assert_close(updated_means(means, q, k, decay=1.0), means)
    with pytest.raises(ValueError, match=r"\[batch, 1, n, 2\]"):
        updated_means(means, q[..., :1])
