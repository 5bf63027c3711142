"""A store keeps the newest keys and values, forgets what ended, and is saved and restored."""

from __future__ import annotations

import pytest
import torch

from patternc import Pattern
from patternc.nn import Store

PATTERN = Pattern.parse("(nearest(2) & columns(stored)) on store(6)")


def _segments(count: int) -> list[torch.Tensor]:
    return list(torch.randn(count, 2, 2, 2, 4, 8, generator=torch.Generator().manual_seed(0)))


def test_the_nearest_of_the_newest_are_attended_to_and_restored_stores_are_the_same() -> None:
    store, q = Store(6), torch.randn(2, 2, 3, 8)
    with pytest.raises(ValueError, match="append the keys"):
        _ = store.pair
    segments = _segments(3)
    for k, v in segments:
        store.append(k, v)
    k, v = (torch.cat(parts, 2)[:, :, -6:] for parts in zip(*segments, strict=True))
    store.clear(torch.tensor([False, True]))
    store.append(*segments[0])
    k, v = (torch.cat(parts, 2)[:, :, -6:] for parts in ((k, segments[0][0]), (v, segments[0][1])))
    held = torch.ones(2, 6, dtype=torch.bool)
    held[1, :2] = False
    assert torch.equal(store.held, held)
    scores = (q @ k.mT).masked_fill(~held[:, None, None], -torch.inf)
    mask = torch.zeros_like(scores, dtype=torch.bool)
    mask.scatter_(3, scores.topk(2, -1).indices, True)
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    restored = Store(6)
    restored.load_state_dict(store.state_dict())
    for each in (store, restored):
        given = {"store_kv": each.pair, "stored": each.held}
        for backend in ("cpu", "triton", "reference"):
            out = PATTERN.attention(q, None, None, backend=backend, **given)
            torch.testing.assert_close(out, wanted, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="do not continue"):
        store.append(k[:, :1], v[:, :1])


def test_a_gate_weighs_the_window_and_the_store_for_each_head() -> None:
    text = "causal\nheads 2\ngate(local(left=4, right=-1), nearest(3) on store(8), name=g)"
    q, k, v = torch.randn(3, 1, 2, 9, 8)
    kv, gate = tuple(torch.randn(2, 1, 2, 7, 8)), torch.tensor([0.25, 1.0])
    out = Pattern.parse(text).attention(q, k, v, store_kv=kv, g=gate)
    parts = [
        Pattern.parse("local(left=4, right=-1)").attention(q, k, v),
        Pattern.parse("nearest(3) on store(8)").attention(q, None, None, store_kv=kv),
    ]
    weight = gate[:, None, None]
    torch.testing.assert_close(out, parts[0] * (1 - weight) + parts[1] * weight)
