"""Labels for `same(document)` from what other libraries take: cumulative lengths, padding masks.

Several documents in one row of a batch need no padding, and none sees another:

    >>> import torch
    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("causal & same(document)")
    >>> document = labels_from_lengths(torch.tensor([0, 3, 8]), n=8)
    >>> document.tolist()
    [0, 0, 0, 1, 1, 1, 1, 1]
    >>> query, key, value = torch.randn(3, 1, 2, 8, 16)
    >>> out = pattern.attention(query, key, value, document=document)
    >>> alone = Pattern.parse("causal").attention(query[:, :, 3:], key[:, :, 3:], value[:, :, 3:])
    >>> torch.testing.assert_close(out[:, :, 3:], alone)

Relations by the distance of query and key (`causal`, `local`, `strided`) mean the same in a pack as
alone; `segment`, `columns`, `blocks` and their kin count from the start of the pack.

Does not pack or unpack tensors.
"""

from __future__ import annotations

import torch
from torch import Tensor

PADDING = -1


def labels_from_lengths(cumulative: Tensor, n: int) -> Tensor:
    """The document of each position: int64 [n], -1 where no document is.

    `cumulative`: integers [documents + 1], from 0, non-decreasing, as `cu_seqlens` of
    FlashAttention; document d is at cumulative[d] : cumulative[d + 1], and may be empty. Positions
    from the last one on are padding. For a batch of packs, stack the labels to [batch, n].

    Looks at the values, so it waits once for a GPU. Raises `ValueError` and `TypeError`.
    """
    _check_lengths(cumulative, n)
    positions = torch.arange(n, device=cumulative.device)
    documents = torch.searchsorted(cumulative[1:].long(), positions, right=True)
    return documents.masked_fill(positions >= cumulative[-1], PADDING)


def labels_from_padding(mask: Tensor) -> Tensor:
    """0 where a token is, -1 where padding is: int64 [batch, n].

    `mask` [batch, n]: booleans or integers, false or 0 for padding, as `attention_mask` of
    Transformers. Rows of padding attend to nothing and give 0. Raises `ValueError` and, for a mask
    of floats (which is added to scores and means the opposite), `TypeError`.

        >>> labels_from_padding(torch.tensor([[1, 1, 0], [0, 1, 1]])).tolist()
        [[0, 0, -1], [-1, 0, 0]]
    """
    if mask.ndim != 2:
        raise ValueError(f"mask {list(mask.shape)}; expected [batch, n]")
    if not _holds_integers(mask) and mask.dtype != torch.bool:
        raise TypeError(f"mask of {mask.dtype}; expected booleans or integers, 0 for padding")
    return torch.zeros_like(mask, dtype=torch.int64).masked_fill(mask == 0, PADDING)


def _check_lengths(cumulative: Tensor, n: int) -> None:
    if not _holds_integers(cumulative):
        raise TypeError(f"cumulative lengths of {cumulative.dtype}; expected integers")
    if cumulative.ndim != 1 or not len(cumulative):
        raise ValueError(
            f"cumulative lengths {list(cumulative.shape)}; expected [documents + 1], at least [1]"
        )
    ends = cumulative.tolist()
    if ends[0] != 0:
        raise ValueError(f"cumulative lengths begin with {ends[0]}; expected 0")
    if ends != sorted(ends):
        raise ValueError("cumulative lengths decrease; expected the ends of documents, not lengths")
    if ends[-1] > n:
        raise ValueError(f"documents of {ends[-1]} tokens in all; expected {n} at most")


def _holds_integers(tensor: Tensor) -> bool:
    return not (
        tensor.dtype == torch.bool or tensor.dtype.is_floating_point or tensor.dtype.is_complex
    )
