"""Lists that a call finds: those of a direct evaluation, and the same for every backend."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.runtime.selftest import with_self_test
from patternc.runtime.states_as_keys import queries_of_states, values_of_states

_pattern = cache(Pattern.parse)
BACKENDS = ("cpu", "triton", "reference")
N = 37


def _tensors(queries: int, n: int, heads: int = 4, key_heads: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    sizes = [(2, heads, queries, 8), (2, key_heads, n, 8), (2, key_heads, n, 8)]
    return [torch.randn(size, generator=generator, requires_grad=True) for size in sizes]


def _scores(q: torch.Tensor, k: torch.Tensor) -> np.ndarray:
    keys = k.repeat_interleave(q.shape[1] // k.shape[1], 1)
    return (q @ keys.mT).detach().numpy()


def _nearest(scores: np.ndarray, count: int, allowed: np.ndarray) -> np.ndarray:
    """The `count` greatest scores of each row among the allowed ones, by sorting."""
    scores = np.where(allowed, scores, -np.inf)
    rank = np.argsort(np.argsort(-scores, -1), -1)
    return (rank < count) & np.broadcast_to(allowed, scores.shape)


def _attended(q, k, v, mask: np.ndarray) -> list[torch.Tensor]:
    """Output and gradients of attention over a mask."""
    out = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=torch.from_numpy(mask), enable_gqa=True
    )
    return [out, *torch.autograd.grad(out.square().sum(), (q, k, v))]


def _check(text: str, q, k, v, mask: np.ndarray, backends=BACKENDS, **inputs) -> None:
    wanted = _attended(q, k, v, mask)
    for backend in backends:
        out = _pattern(text).attention(q, k, v, backend=backend, **inputs)
        found = [out, *torch.autograd.grad(out.square().sum(), (q, k, v))]
        for mine, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(mine, other, atol=2e-5, rtol=1e-4)


def _places(queries: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(n - queries, n)[:, None], np.arange(n)[None, :]


@pytest.mark.parametrize(("queries", "n"), [(N, N), (5, 90), (130, 130)])
def test_the_nearest_are_those_that_sorting_finds_among_the_pairs_around_them(
    queries: int, n: int
) -> None:
    q, k, v = _tensors(queries, n)
    i, j = _places(queries, n)
    text = "causal\nnearest(5) - local(1) + local(1)"
    near = (abs(i - j) <= 1) & (j <= i)
    far = _nearest(_scores(q, k), 5, (j <= i) & ~near)
    _check(text, q, k, v, far | near, BACKENDS if n == N else ("cpu", "reference"))
    lists = _pattern(text).module.found_lists(q, k, v)["nearest"]
    held = np.zeros((*far.shape[:3], n + 1), bool)
    np.put_along_axis(held, lists[:, :, n - queries :].numpy().astype(np.int64), True, -1)
    assert (held[..., :n] == far).all()


def test_heads_search_by_themselves_and_labels_confine_them() -> None:
    q, k, v = _tensors(N, N)
    i, j = _places(N, N)
    document = torch.arange(N) // 13
    text = "heads 4\nhead < 2 -> nearest(3) & same(document)\nelse -> nearest(4) & causal"
    same = document.numpy()[:, None] == document.numpy()
    scores = _scores(q, k)
    parts = [(scores[:, :2], 3, same), (scores[:, 2:], 4, j <= i)]
    mask = np.concatenate([_nearest(*part) for part in parts], 1)
    _check(text, q, k, v, mask, ("cpu", "triton"), document=document)


@pytest.mark.parametrize("source", ["memory", "encoder"])
def test_slots_of_sources_are_searched_by_themselves(source: str) -> None:
    q, k, v = _tensors(N, N)
    _, slots, values = _tensors(N, 19)
    # Positions on a memory count from its end.
    columns = "(nearest(4) & columns([-17:-7]))"
    text = f"{columns} on {'memory(19)' if source == 'memory' else 'encoder'}"
    there = (np.arange(19) >= 2) & (np.arange(19) < 12)
    mask = _nearest(_scores(q, slots), 4, there[None, :])
    given = {f"{source}_kv": (slots, values)}
    wanted = torch.nn.functional.scaled_dot_product_attention(
        q, slots, values, attn_mask=torch.from_numpy(mask), enable_gqa=True
    )
    for backend in BACKENDS:
        out = _pattern(text).attention(q, k, v, backend=backend, **given)
        torch.testing.assert_close(out, wanted, atol=2e-5, rtol=1e-4)


def test_given_lists_are_not_searched_for_and_are_the_mask() -> None:
    q, k, v = _tensors(N, N)
    pattern, lists = _pattern("causal\nheads 4\nnearest(2)"), torch.randint(-1, N, (2, 4, N, 2))
    mask = pattern.mask(N, nearest=lists.numpy())
    assert (np.asarray(mask) == pattern.module.mask(N, nearest=lists).numpy()).all()
    out = pattern.attention(q, k, v, nearest=lists)
    wanted = _attended(q, k, v, np.asarray(mask))[0]
    seen = torch.from_numpy(np.asarray(mask).any(-1))[..., None]
    torch.testing.assert_close(out, wanted.where(seen, 0), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "text", ["top_blocks(2, block=4)", "sinkhorn(4)", "cluster(2, 12, means=m)", "lsh(4, chunk=4)"]
)
def test_keys_that_are_no_numbers_and_unseen_do_not_change_a_choice(text: str) -> None:
    """What is chosen is chosen without them: the unseen keys fill the last block."""
    pattern, m = _pattern(f"({text}) & columns([:24])"), torch.randn(2, 2, 8)
    q, k, v = _tensors(28, 28, 2, 2)
    means = {"m": m[0][:, None].expand(2, 2, 8)} if "means" in text else {}
    lists = []
    for odd in (float("nan"), float("inf")):
        parts = [part.detach().clone() for part in (q, k, v)]
        for part in parts if "lsh" in text else parts[1:]:
            part[:, :, 24:] = odd
        lists.append(pattern.module.found_lists(*parts, **means)[text.split("(")[0]])
    assert torch.equal(*lists)
    out = pattern.attention(*parts, **means)
    assert out[:, :, :24].isfinite().all()
    if text.startswith(("top_blocks", "lsh")):  # whose other rows have no say
        shorter = pattern.module.found_lists(*(part[:, :, :24] for part in parts))
        (alone,) = shorter.values()
        assert torch.equal(lists[0][:, :, :24].sort().values, alone.sort().values)


def test_draws_avoid_the_keys_that_are_found() -> None:
    q, k, v = _tensors(N, N, 1, 1)
    pattern = _pattern("nearest(4) + random(3)")
    mask = pattern.mask(N, **pattern.module.found_lists(q, k, v))
    assert (np.asarray(mask).sum(-1) == 7).all()
    _check(pattern.text, q, k, v, np.asarray(mask), ("cpu", "reference"))


def test_gradients_of_given_lists_equal_numerical_ones() -> None:
    q, k, v = (part.detach().double()[:1, :1, :9].requires_grad_() for part in _tensors(9, 9))
    lists = torch.randint(-1, 9, (9, 3))

    def attended(*parts: torch.Tensor) -> torch.Tensor:
        return _pattern("causal\nnearest(3) + diagonal").attention(*parts, nearest=lists)

    assert torch.autograd.gradcheck(attended, (q, k, v))


def test_what_is_not_a_number_is_found_and_spoils_its_row_alone() -> None:
    q, k, v = (part.detach() for part in _tensors(N, N))
    q[0, 1, 3] = float("nan")
    for backend in BACKENDS:
        out = _pattern("nearest(3)").attention(q, k, v, backend=backend)
        odd = out.isnan().any(-1)
        assert odd.nonzero().tolist() == [[0, 1, 3]]


def _of_blocks(scores: np.ndarray, count: int, width: int, allowed: np.ndarray) -> np.ndarray:
    """The pairs of the best blocks among those with an allowed pair."""
    n = allowed.shape[-1]
    starts = range(0, n, width)
    some = np.stack([allowed[..., at : at + width].any(-1) for at in starts], -1)
    return _nearest(scores, count, some).repeat(width, -1)[..., :n] & allowed


def _gates(q: torch.Tensor, k: torch.Tensor, width: int) -> np.ndarray:
    """Products with the mean of each block, one block after another."""
    means = [part.mean(2, keepdim=True) for part in k.split(width, 2)]
    return _scores(q, torch.cat(means, 2))


@pytest.mark.parametrize("n", [16, N, 90])
def test_mixture_of_block_attention_is_its_own_block_and_the_best_of_those_before(n: int) -> None:
    """As the authors' plain code: the own block has the greatest gate, later ones none."""
    q, k, v = _tensors(n, n)
    i, j = _places(n, n)
    blocks = np.arange(-(-n // 8))
    gates = np.where(blocks == i // 8, np.inf, _gates(q, k, 8))
    gates = np.where(blocks > i // 8, -np.inf, gates)
    chosen = np.argsort(np.argsort(-gates, -1), -1) < 3
    mask = (chosen & (blocks <= i // 8)).repeat(8, -1)[..., :n] & (j <= i)
    text = "causal\ntop_blocks(2, block=8) - segment(8) + segment(8)"
    _check(text, q, k, v, mask, BACKENDS if n == N else ("cpu",))


def test_blocks_are_found_by_the_pairs_around_them_and_groups_of_heads_agree() -> None:
    q, k, v = _tensors(N, N)
    i, j = _places(N, N)
    document = torch.arange(N) // 13
    allowed = (document.numpy()[:, None] == document.numpy()) & (abs(i - j) <= 9)
    some = np.stack([allowed[:, at : at + 4].any(-1) for at in range(0, N, 4)], -1)
    gates = np.where(some, _gates(q, k, 4) * 8**-0.5, -np.inf)
    shares = np.exp(gates) / np.exp(gates).sum(-1, keepdims=True)
    shares = shares.reshape(2, 2, 2, N, -1).sum(2).repeat(2, 1)
    mask = _of_blocks(shares, 2, 4, allowed)
    text = "top_blocks(2, block=4, share=group) & same(document) & local(9)"
    _check(text, q, k, v, mask, ("cpu",), document=document)


@pytest.mark.parametrize(("width", "heads"), [(1, 1), (4, 4)])
def test_scores_that_a_call_gives_choose_keys_or_blocks(width: int, heads: int) -> None:
    """As DeepSeek's indexer does, the same keys for all heads; of decoding steps too."""
    q, k, v = _tensors(6, N)
    i, j = _places(6, N)
    scores = torch.rand(2, heads, 6, -(-N // width))
    mask = _of_blocks(np.broadcast_to(scores, (2, 4, *scores.shape[2:])), 3, width, j <= i)
    text = "causal\nnearest(3, scores=index)"
    if width > 1:
        text = f"causal\ntop_blocks(3, block={width}, scores=index)"
    _check(text, q, k, v, mask, ("cpu", "reference"), index=scores)
    with pytest.raises(ValueError, match="with 6 queries and"):
        _pattern(text).attention(q, k, v, index=scores[..., :-1])
    with pytest.raises(TypeError, match="'index' is missing"):
        _pattern(text).attention(q, k, v)


def test_padded_sequences_search_as_they_do_alone() -> None:
    q, k, v = (part.detach() for part in _tensors(N, N))
    pattern = _pattern("causal\nheads 4\nnearest(3)")
    real = torch.arange(N) < torch.tensor([[N], [20]])
    out = pattern.attention(q, k, v, key_padding=real)
    alone = [part[1:, :, :20] for part in (q, k, v)]
    torch.testing.assert_close(out[1:, :, :20], pattern.attention(*alone))


def _hashed(q: torch.Tensor, turns: torch.Tensor) -> np.ndarray:
    """The bucket of each position [batch, heads, rounds, n]."""
    turned = np.einsum("bhnd,hdrk->bhrnk", q.detach().numpy(), turns.numpy())
    return np.concatenate([turned, -turned], -1).argmax(-1)


def _in_chunks(hashes: np.ndarray, chunk: int, back: int) -> np.ndarray:
    """Which positions are in a chunk at most `back` after another's, by the order of one round."""
    order = np.argsort(hashes, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) // chunk
    step = place[:, None] - place[None, :]
    return (step >= 0) & (step <= back)


@pytest.mark.parametrize("n", [16, N, 90])
def test_hashes_join_positions_of_a_chunk_in_any_round(n: int) -> None:
    q, _, v = _tensors(n, n, 2, 2)
    k = torch.nn.functional.normalize(q, dim=-1)
    turns = torch.randn(2, 8, 3, 2, generator=torch.Generator().manual_seed(0))
    hashes, causal = _hashed(q, turns), np.tri(n, dtype=bool)
    mask = np.zeros((2, 2, n, n), bool)
    for at in np.ndindex(2, 2, 3):
        same = hashes[at][:, None] == hashes[at][None, :]
        mask[at[:2]] |= _in_chunks(hashes[at], 5, 2) & same & causal
    mask &= ~np.eye(n, dtype=bool)
    mask |= np.eye(n, dtype=bool) & ~mask.any(-1, keepdims=True)
    text = "causal\nlsh(4, chunk=5, rounds=3, back=2, match=bucket, rotations=turns)"
    wanted = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=torch.from_numpy(mask)
    )
    for backend in BACKENDS if n == N else ("cpu",):
        out = _pattern(text).attention(q, k, v, turns=turns, backend=backend)
        torch.testing.assert_close(out, wanted, atol=2e-5, rtol=1e-4)
    lists = _pattern(text).module.found_lists(q, k, v, turns=turns)["lsh"]
    assert (np.asarray(_pattern(text).mask(n, lsh=lists.numpy())) == mask).all()
    assert torch.allclose(_pattern(text).attention(q, k, v, lsh=lists), out, atol=1e-5)


def test_the_same_seed_draws_the_same_hashes_beside_heads_that_do_not_sort() -> None:
    text = "heads 4\ncausal\nhead < 2 -> local(3)\nelse -> lsh(4, chunk=8, seed=5)"
    q, _, v = (part.detach() for part in _tensors(N, N, 4, 4))
    outs = [_pattern(text).attention(q, q, v, backend=backend) for backend in BACKENDS]
    for out in outs[1:]:
        torch.testing.assert_close(out, outs[0], atol=1e-5, rtol=1e-4)
    local = _pattern("causal\nlocal(3)").attention(q[:, :2], q[:, :2], v[:, :2])
    torch.testing.assert_close(outs[0][:, :2], local)
    rank = _pattern(text).attention(q[:, 3:], q[:, 3:], v[:, 3:], heads=slice(3, 4))
    torch.testing.assert_close(rank, outs[0][:, 3:], atol=1e-5, rtol=1e-4)
    other = _pattern(text.replace("seed=5", "seed=6")).attention(q, q, v)
    assert not torch.allclose(other[:, 2:], outs[0][:, 2:], atol=1e-3)


@pytest.mark.parametrize("n", [16, N, 90])
def test_clusters_are_averaged_or_joined(n: int) -> None:
    q, k, v = _tensors(n, n)
    means = torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(1))
    taken = []
    for part in (q, k.repeat_interleave(2, 1)):
        unit = part.detach() / part.detach().norm(dim=-1, keepdim=True)
        near = np.einsum("hcd,bhnd->bhcn", means.numpy(), unit.numpy())
        rank = np.argsort(np.argsort(-near, -1), -1)
        taken.append(rank < 10)
    pairs = taken[0][..., :, None] & taken[1][..., None, :] & np.tri(n, dtype=bool)
    weights, scores = np.exp(_scores(q, k) * 8**-0.5)[:, :, None] * pairs, pairs.any(-1)
    weights = weights / np.maximum(weights.sum(-1, keepdims=True), 1e-30)
    mean = weights.sum(2) / np.maximum(scores.sum(2), 1)[..., None]
    values = v.detach().repeat_interleave(2, 1).numpy()
    text = "causal\nmean(cluster(3, 10, means=means))"
    for backend in BACKENDS if n == N else ("cpu",):
        out = _pattern(text).attention(q, k, v, means=means, backend=backend)
        torch.testing.assert_close(
            out, torch.from_numpy(mean @ values).float(), atol=2e-5, rtol=1e-4
        )
    union = torch.from_numpy(pairs.any(2))
    joined = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=union, enable_gqa=True
    ).where(union.any(-1, keepdim=True), 0)
    out = _pattern("causal\ncluster(3, 10, means=means)").attention(q, k, v, means=means)
    torch.testing.assert_close(out, joined, atol=2e-5, rtol=1e-4)


def test_gradients_in_the_order_of_hashes_equal_numerical_ones() -> None:
    q, k, v = (part.detach().double()[:1, :1, :9].requires_grad_() for part in _tensors(9, 9))
    turns, means = torch.randn(1, 8, 2, 1).double(), torch.randn(1, 2, 8).double()
    for text, given in (
        ("causal\nmix(lsh(2, chunk=4, rounds=2, rotations=turns))", {"turns": turns}),
        ("causal\nmean(cluster(2, 5, means=means))", {"means": means}),
    ):

        def attended(*parts: torch.Tensor, text: str = text, given: dict = given) -> torch.Tensor:
            return _pattern(text).attention(*parts, **given)

        assert torch.autograd.gradcheck(attended, (q, k, v))


@pytest.mark.parametrize("n", [16, N, 90])
def test_sinkhorn_shares_blocks_out(n: int) -> None:
    q, k, v = _tensors(n, n)
    i, j = _places(n, n)
    blocks = -(-n // 8)
    means = np.stack([q[:, :, at : at + 8].mean(2).detach().numpy() for at in range(0, n, 8)], 2)
    gates = means @ np.swapaxes(_block_means(k.repeat_interleave(2, 1)), 2, 3) * 8**-0.5
    before = np.tri(blocks, k=-1, dtype=bool)
    shares = np.exp(gates) * before
    for _ in range(4):
        shares = shares / np.maximum(shares.sum(-1, keepdims=True), 1e-30)
        shares = shares / np.maximum(shares.sum(-2, keepdims=True), 1e-30)
    best = (np.arange(blocks) == shares.argmax(-1)[..., None]) & before
    other = best.repeat(8, -1).repeat(8, -2)[..., :n, :n]
    mask = other | ((i // 8 == j // 8) & (j <= i))
    text = "causal\nsinkhorn(8, sweeps=4) - segment(8) + segment(8)"
    _check(text, q, k, v, mask, BACKENDS if n == N else ("cpu",))


def _block_means(part: torch.Tensor) -> np.ndarray:
    means = [part[:, :, at : at + 8].mean(2) for at in range(0, part.shape[2], 8)]
    return torch.stack(means, 2).detach().numpy()


@pytest.mark.parametrize("search", ["cluster(2, 4, means=m)", "lsh(4, chunk=4, rotations=r)"])
def test_a_self_test_gives_lists_in_place_of_what_a_search_is_given(search: str) -> None:
    module = Pattern.parse(f"heads 1\n{search}").module
    q, k, v, inputs = with_self_test(module)._sample_call(24, 3)
    assert module.attention(q, k, v, **inputs).shape == q.shape


def test_dropout_of_hashes_is_drawn_by_a_seed_that_is_a_tensor():
    module = _pattern("lsh(4, rounds=2, chunk=8, back=1)").module
    parts = _tensors(32, 32)
    first, again, other = (
        module.attention(*parts, dropout=0.5, seed=seed, backend="cpu")
        for seed in (7, torch.tensor(7), torch.tensor(8))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_of_many_keys_those_of_the_runs_with_the_greatest_are_the_greatest() -> None:
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(1, 2, 5, 8, generator=generator)
    k, v = (torch.randn(1, 1, 1100, 8, generator=generator) for _ in range(2))
    module = _pattern("nearest(3) & rows([1:])").module
    found = module.found_lists(q, k, v)["nearest"][:, :, -5:]
    wanted = (q @ k.mT).topk(3, dim=-1).indices.to(torch.int32)
    assert torch.equal(found.sort(-1).values, wanted.sort(-1).values)
    few = _pattern("(nearest(3) & columns([1000:1002]))").module.found_lists(q, k, v)["nearest"]
    assert few.sort(-1).values[0, 0, -1].tolist() == [-1, 1000, 1001]


def test_one_index_of_states_serves_heads_and_layers_as_keys_of_their_own_do() -> None:
    """Unlimiformer's rewritten score, with the bias of keys, which no weight depends on."""
    torch.manual_seed(1)
    heads, dim, size = 3, 12, 4
    pattern = _pattern(f"heads {heads}\nnearest(5) on encoder")
    states, q = torch.randn(2, 41, dim), torch.randn(2, heads, 7, size, requires_grad=True)
    key, value = (torch.nn.Linear(dim, heads * size) for _ in range(2))
    k, v = (part(states).unflatten(2, (heads, size)).transpose(1, 2) for part in (key, value))
    wanted = pattern.attention(q, None, None, encoder_kv=(k, v), backend="cpu")
    index = states[:, None]
    found = pattern.attention(
        queries_of_states(q, key.weight), None, None,
        encoder_kv=(index, index), scale=size**-0.5, backend="cpu",
    )  # fmt: skip
    found = values_of_states(found, value.weight, value.bias)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    leaves = [q, key.weight, value.weight, value.bias]
    gradients = [torch.autograd.grad(out.square().sum(), leaves) for out in (found, wanted)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match=r"weight has shape \[12, 12\]; expected \[9, dim\]"):
        queries_of_states(q[..., :3], key.weight)
