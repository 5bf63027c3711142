"""Searches at the edges: calls without rows, keys or batch, lists of heads, rows of a stream."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from patternc import Pattern

_pattern = cache(Pattern.parse)
SEARCHES = (
    "causal\nsinkhorn(3)",
    "top_blocks(2, block=3, share=group)",
    "mix(lsh(2, chunk=3, rounds=2))",
    "lsh(2, chunk=3) + diagonal",
    "mean(cluster(2, 3, means=centres))",
    "cluster(2, 3, means=centres) + diagonal",
)


@pytest.mark.parametrize("text", SEARCHES)
def test_searches_of_nothing_find_nothing(text: str) -> None:
    """No token, rows before the first token alone, an empty batch."""
    given = {"centres": torch.randn(2, 2, 8)} if "cluster" in text else {}
    for batch, queries, n in ((2, 0, 0), (1, 2, 0), (0, 4, 4)):
        q = torch.randn(batch, 2, queries, 8)
        k = torch.randn(batch, 2, n, 8)
        for backend in ("cpu", "reference"):
            out = _pattern(text).attention(q, k, k, backend=backend, **given)
            assert torch.equal(out, torch.zeros_like(q))


def test_a_search_sees_queries_with_the_shift_of_xl_relative() -> None:
    """The key of greatest (q + u) k, as the products have it; r and v are behind the search."""
    n, size = 9, 8
    q, k, v = torch.randn(3, 1, 1, n, size, generator=torch.Generator().manual_seed(5)).unbind(0)
    u = 4 * torch.randn(1, size, generator=torch.Generator().manual_seed(6))
    given = {"xl_u": u, "xl_v": torch.zeros(1, size), "xl_r": torch.zeros(n, 1, size)}
    found = _pattern("nearest(1) with xl_relative").module.found_lists(q, k, v, **given)
    assert torch.equal(found["nearest"][..., 0], ((q + u) @ k.mT).argmax(-1))
    assert not torch.equal(found["nearest"][..., 0], (q @ k.mT).argmax(-1))


def test_lists_of_an_empty_batch_are_taken() -> None:
    empty, lists = torch.randn(0, 2, 4, 8), torch.zeros(0, 2, 4, 2, dtype=torch.int64)
    assert _pattern("listed(plan)").attention(empty, empty, empty, plan=lists).shape == empty.shape


def test_a_program_for_any_heads_has_as_many_as_its_lists() -> None:
    """In every mask, and in what says why: the second head alone has the key 1."""
    pattern = _pattern("causal\nnearest(1) + diagonal")
    lists = np.stack([np.zeros((6, 1), int), np.ones((6, 1), int)])
    wanted = pattern.mask(6, nearest=lists)
    assert np.array_equal(pattern.module.mask(6, nearest=torch.from_numpy(lists)), wanted)
    found = pattern.why(6, 5, 1, nearest=lists)
    assert [each.sees for each in found.verdicts] == [False, True]
    assert found.path is not None
    assert found.path[0].head == 1
    assert pattern.why(6, 5, 1, head=1, nearest=lists).verdicts[0].sees


def test_integers_of_heads_give_a_program_for_any_heads_their_number() -> None:
    pattern = _pattern("where(level[j] == 1)")
    levels = np.array([[[0, 1, 0], [1, 0, 0]]])
    found = pattern.module.mask(3, level=torch.from_numpy(levels))
    assert np.array_equal(found, pattern.mask(3, level=levels))


def test_heads_that_find_in_a_group_count_those_that_do_not_search() -> None:
    """And a block wider than the sequence is all of it."""
    search, parts = "top_blocks(2, block=4, share=group)", torch.randn(3, 1, 4, 24, 8)
    q, k, v = parts[0], *parts[1:, :, :2]
    some = _pattern(f"heads 4\nhead % 2 == 0 -> {search}\nelse -> full").module
    (found,), (whole,) = (
        module.found_lists(q, k, v).values() for module in (some, _pattern(search).module)
    )
    assert torch.equal(found[:, ::2], whole[:, ::2])
    wide = _pattern(f"top_blocks(2, block={2**40})")
    torch.testing.assert_close(wide.attention(q, k, v), _pattern("full").attention(q, k, v))
    assert wide.mask(24, top_blocks=np.zeros((24, 1), int)).all()
    lists = (_pattern(f"lsh(4, chunk={size})").module.found_lists(v, v, v) for size in (24, 2**40))
    assert torch.equal(*(each["lsh"] for each in lists))


def test_empty_lists_of_parts_say_of_every_tile_that_it_is_empty() -> None:
    pattern, plan = _pattern("blocks(parts=4) { listed(plan) }"), torch.zeros(2, 2, 4, 0).long()
    q, k = torch.randn(2, 2, 13, 8), torch.randn(2, 2, 7, 8)
    assert not pattern.module.attention(q, k, k, plan=plan, backend="cpu").any()


def test_a_search_of_some_pairs_compiles_without_a_break() -> None:
    pattern, q = _pattern("causal\ntop_blocks(2, block=4)"), torch.randn(1, 2, 24, 8)
    compiled = torch.compile(
        lambda q: pattern.attention(q, q, q), fullgraph=True, backend="eager", dynamic=False
    )
    torch.testing.assert_close(compiled(q), pattern.attention(q, q, q))


def test_lists_of_the_rows_of_a_stream_are_those_that_their_call_finds() -> None:
    pattern = _pattern("full on stream(g, 4)\nrows g\nnearest(2)")
    slots, tokens = torch.randn(2, 2, 4, 8), torch.randn(2, 2, 12, 8)
    parts = {"q": slots, "k": tokens, "v": tokens, "g_kv": (slots, slots), "rows": "g"}
    lists = pattern.module.found_lists(**parts)
    assert lists["nearest"].shape == (2, 2, 4, 2)
    assert torch.equal(lists["nearest"].sort().values, (slots @ tokens.mT).topk(2)[1].sort()[0])
    out = pattern.attention(**parts, backend="cpu")
    torch.testing.assert_close(pattern.attention(**parts, **lists, backend="cpu"), out)


def test_rows_of_a_stream_have_a_sum_where_the_tokens_have_features() -> None:
    pattern = _pattern("mean(features(map=elu), full on stream(g, 2))\nrows g\nfull")
    slots = torch.randn(1, 2, 2, 8)
    tokens = torch.randn(1, 2, 5, 8)
    out, lse = pattern.attention(slots, tokens, tokens, rows="g", return_lse=True)
    scores = slots @ tokens.mT * 8**-0.5
    torch.testing.assert_close(lse, scores.logsumexp(-1))
    torch.testing.assert_close(out, scores.softmax(-1) @ tokens)


@pytest.mark.parametrize(
    "text",
    ["mix(lsh(2, chunk=4, rounds=2) & columns([:20]))", "mean(cluster(2, 5, means=c) & {})"],
)
def test_values_that_no_row_sees_reach_nothing_in_an_order_that_is_found(text: str) -> None:
    """They stand among the others there, in the tiles of kernels too."""
    pattern = _pattern(text.format("columns([:20])"))
    given = {"c": torch.randn(2, 2, 8)} if "cluster" in text else {}
    q, k, v = (torch.randn(1, 2, 24, 8) for _ in range(3))
    odd = v.clone()
    odd[:, :, 20:] = torch.nan
    for backend in ("cpu", "triton"):
        parts = [part.clone().requires_grad_() for part in (q, k, odd)]
        out = pattern.attention(*parts, backend=backend, **given)
        wanted = pattern.attention(q, k, v, backend=backend, **given)
        torch.testing.assert_close(out, wanted, atol=1e-5, rtol=1e-4)
        assert all(part.isfinite().all() for part in torch.autograd.grad(out.sum(), parts))


@pytest.mark.parametrize("backend", ["cpu", "reference", "triton"])
def test_scores_and_spans_that_are_no_numbers_do_what_the_manual_says(backend: str) -> None:
    q, k, v = (torch.randn(1, 2, 9, 8) for _ in range(3))
    scores = torch.randn(1, 1, 9, 9)
    scores[..., 2] = torch.nan
    out = _pattern("nearest(1, scores=s)").attention(q, k, v, s=scores, backend=backend)
    torch.testing.assert_close(out, v[:, :, 2:3].expand_as(out))
    spans = torch.tensor([torch.nan, 2.0])
    out = _pattern("full with softspan(2, z=s)").attention(q, k, v, s=spans, backend=backend)
    assert torch.equal(out[:, 0], torch.zeros_like(out[:, 0]))
    assert out[:, 1].isfinite().all()


@pytest.mark.parametrize(
    "text",
    [
        "causal\nlsh(4, chunk=4)",
        "lsh(4, chunk=4) - rows([5])",
        "causal\nmean(cluster(3, 4, means=mu))",
        "causal\nmix(lsh(4, chunk=4, rounds=2))",
    ],
)
def test_lists_that_are_given_in_place_of_what_sorts_are_cut_by_what_stands_around(text):
    pattern, n = Pattern.parse(text), 24
    q, k, v = torch.randn(3, 1, 2, n, 8, generator=torch.Generator().manual_seed(2))
    name = pattern.inputs[-1].name
    given = {name: torch.randint(0, n, (1, 2, n, 4), generator=torch.Generator().manual_seed(3))}
    others = {"mu": torch.randn(2, 3, 8)} if "mu" in text else {}
    allowed = torch.ones(n, n).tril() if "causal" in text else torch.ones(n, n)
    if "rows" in text:
        allowed[5] = 0
    listed = torch.zeros(1, 2, n, n).scatter(3, given[name], 1) * allowed
    mask = pattern.mask(n, **{name: given[name].numpy()})
    assert (torch.as_tensor(mask).bool() == listed.bool()).all()
    for backend in ("cpu", "reference"):
        *_, weights = pattern.attention(
            q, k, v, backend=backend, return_weights=True, **given, **others
        )
        assert ((weights > 0) == (listed > 0)).all()


@pytest.mark.parametrize(
    "search",
    [
        "lsh(8, chunk=4, rounds=3, back=2, match=bucket)",
        "lsh(4, chunk=4, rounds=3, edge=wrap, back=9)",
        "lsh(4, chunk=4, rounds=3) & same(doc)",
        "mean(cluster(3, 5, means=mu, own=last) & same(doc))",
    ],
)
def test_chunks_that_are_planned_as_they_are_hold_the_pairs_of_the_lists(search: str) -> None:
    """On the CPU; the dense reference has lists. The last chunk is short."""
    pattern, n = _pattern(f"heads 2\ncausal\n{search}"), 26
    given = {"mu": torch.randn(2, 3, 8)} if "mu" in search else {}
    given |= {"doc": torch.arange(n) // 9} if "doc" in search else {}
    parts = [torch.randn(2, 2, n, 8, requires_grad=True) for _ in range(3)]
    found = {}
    for backend in ("cpu", "reference"):
        out = pattern.attention(*parts, backend=backend, **given)
        found[backend] = [out, *torch.autograd.grad(out.square().sum(), parts)]
    for mine, wanted in zip(found["cpu"], found["reference"], strict=True):
        torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=1e-4)


def test_chunks_of_hashes_are_found_under_vmap_and_in_whole_graphs() -> None:
    pattern = _pattern("heads 2\ncausal\nlsh(4, chunk=4, rounds=3, edge=wrap, back=9)")
    parts = [torch.randn(2, 2, 26, 8) for _ in range(3)]
    wanted = pattern.module.attention(*parts)
    (out,) = torch.vmap(pattern.module.attention, randomness="same")(*(x[None] for x in parts))
    torch.testing.assert_close(out, wanted, atol=1e-5, rtol=1e-4)
    graph = torch.compile(pattern.module.attention, backend="eager", fullgraph=True)
    torch.testing.assert_close(graph(*parts), wanted, atol=1e-5, rtol=1e-4)


def test_searches_beside_labels_are_in_whole_graphs() -> None:
    pattern = _pattern("heads 2\ncausal\nlsh(4, chunk=4) & same(doc)")
    parts, doc = [torch.randn(1, 2, 26, 8) for _ in range(3)], torch.arange(26) // 9
    graph = torch.compile(pattern.module.attention, backend="eager", fullgraph=True)
    wanted = pattern.module.attention(*parts, doc=doc)
    torch.testing.assert_close(graph(*parts, doc=doc), wanted, atol=1e-5, rtol=1e-4)
