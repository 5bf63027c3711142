"""Centroids of `cluster(count, take, means=NAME)`: a buffer that follows what is clustered."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot


@torch.no_grad()
def updated_means(means: Tensor, *parts: Tensor, decay: float = 0.999) -> Tensor:
    """The moving average of centroids [heads, clusters, head_dim] after a step of training.

    `parts` are queries and keys [batch, heads, n, head_dim], as the attention is given them, of as
    many heads as the means have. Each unit vector of theirs counts for the centroid nearest to it;
    a centroid that none is nearest to stays. New centroids are unit vectors (Roy et al. 2021,
    Efficient Content-Based Sparse Attention with Routing Transformers). Raises `ValueError` for a
    part of other sizes.
    """
    for part in parts:
        if part.dim() != 4 or part.shape[1] != means.shape[0] or part.shape[3] != means.shape[2]:
            raise ValueError(
                f"queries and keys must be [batch, {means.shape[0]}, n, {means.shape[2]}]; got "
                f"{list(part.shape)}"
            )
    units = torch.cat(
        [normalize(part.float(), dim=-1).transpose(0, 1).flatten(1, 2) for part in parts], 1
    )
    nearest = (units @ means.float().mT).argmax(-1)
    member = one_hot(nearest, means.shape[1]).to(units.dtype)
    count = member.sum(1)[..., None]
    seen = normalize(member.mT @ units, dim=-1)
    moved = normalize(decay * means.float() + (1 - decay) * seen, dim=-1)
    return moved.where(count > 0, means.float()).to(means.dtype)
