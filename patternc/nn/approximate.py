"""Lists of nearest keys from an index of faiss, for stores too large to search exactly.

What `nearest(k)` finds exactly in a call is a list here, to be given as that run-time input. faiss
is an extra: `pip install patternc[faiss]`.

    pattern = Pattern.parse("nearest(32) on store(1000000)")
    lists, recall = approximate_lists(q, store.keys, 32, index="IVF1024,Flat", search="nprobe=64")
    out = pattern.attention(q, k, v, store_kv=store.pair, nearest=lists)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import Tensor

_COMPARED = 64  # queries of a head, whose exact neighbours tell the recall


@torch.no_grad()
def approximate_lists(
    q: Tensor, keys: Tensor, count: int, *, index: str = "HNSW32", search: str = ""
) -> tuple[Tensor, float]:
    """Integers [batch, heads, n, count], -1 for none, and the recall: the share that is right.

    `q` are floats [batch, heads, n, head_dim], `keys` [batch, kv_heads, m, head_dim]; nearest is of
    greatest product. `index` is a description for `faiss.index_factory`, `search` parameters of the
    index, such as `efSearch=128`. The recall is of about 64 evenly spaced queries of each head
    against exact products. Raises `ImportError` without faiss, and `ValueError` for sizes that do
    not fit.
    """
    if count < 1:
        raise ValueError(f"count={count}: expected 1 or more keys of each query")
    fits = q.dim() == keys.dim() == 4 and q.shape[::3] == keys.shape[::3]
    if not fits or q.shape[1] % max(1, keys.shape[1]):
        raise ValueError(
            f"queries {list(q.shape)} and keys {list(keys.shape)}: expected [batch, heads, n, "
            "head_dim] and [batch, kv_heads, m, head_dim], heads a multiple of kv_heads"
        )
    faiss, shared = _faiss(), q.shape[1] // keys.shape[1]
    groups = q.float().reshape(q.shape[0], -1, shared, *q.shape[2:])
    found = [
        _searched(faiss, (index, search), groups[at].flatten(0, 1), keys[at].float(), count)
        for at in _pairs_of(*keys.shape[:2])
    ]
    lists = torch.stack(found).view(*q.shape[:3], -1).to(torch.int32)
    return lists.to(q.device), _recall(groups, keys.float(), lists, count)


def _pairs_of(batch: int, heads: int) -> list[tuple[int, int]]:
    return [(element, head) for element in range(batch) for head in range(heads)]


def _faiss() -> Any:
    try:
        return import_module("faiss")
    except ImportError as error:
        raise ImportError(
            "approximate_lists needs faiss: pip install patternc[faiss]; without it `nearest(k)` "
            "searches exactly in the call"
        ) from error


def _searched(
    faiss: Any, asked: tuple[str, str], queries: Tensor, keys: Tensor, count: int
) -> Tensor:
    """Of the queries of a key head [rows, count]."""
    if not len(keys):
        return torch.full((len(queries), count), -1)
    index, search = asked
    made = faiss.index_factory(keys.shape[1], index, faiss.METRIC_INNER_PRODUCT)
    if search:
        faiss.ParameterSpace().set_index_parameters(made, search)
    own = keys.cpu().contiguous().numpy()
    if not made.is_trained:
        made.train(own)
    made.add(own)
    _, found = made.search(queries.cpu().contiguous().numpy(), count)
    return torch.from_numpy(found)


def _recall(groups: Tensor, keys: Tensor, lists: Tensor, count: int) -> float:
    """Of some queries, how many of the nearest their lists have."""
    n = groups.shape[3]
    rows = torch.arange(n)[:: max(1, n // _COMPARED)]
    products = groups[:, :, :, rows] @ keys[:, :, None].mT
    exact = products.topk(min(count, keys.shape[2]), dim=-1).indices.cpu()
    own = lists.view(*groups.shape[:4], -1)[:, :, :, rows]
    there = (exact[..., None] == own[..., None, :]).any(-1)
    return float(there.float().mean()) if there.numel() else 1.0
