"""Run-time integers in the rooms of a module: a deep prefix tree, shapes, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from patternc import Pattern
from patternc.semantics.errors import InputError

TREE = Pattern("visible(tin, tout)")
N = 40


def grown(n: int, levels: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random tree of tokens in preorder: the parent of each, and the number behind its last."""
    parent, end = np.full(n, -1), np.full(n, n)
    spans = [(0, n, 0, -1)]
    while spans:
        first, stop, level, above = spans.pop()
        stem = (
            stop - first if level == levels - 1 else min(stop - first, int(random.integers(1, 9)))
        )
        parent[first : first + stem] = [above, *range(first, first + stem - 1)]
        end[first : first + stem] = stop
        cuts = np.sort(random.integers(first + stem, stop + 1, 2))
        below = zip([first + stem, *cuts], [*cuts, stop], strict=True)
        spans += [(a, b, level + 1, first + stem - 1) for a, b in below if a < b]
    return parent, end


def test_a_tree_of_eight_levels_is_every_token_with_its_ancestors() -> None:
    n = 3000
    parent, end = grown(n, 8, np.random.default_rng(0))
    dense = np.zeros((n, n), np.bool_)
    for token in range(n):
        dense[token] = dense[parent[token]] if token else False
        dense[token, token] = True
    given = {"tin": np.arange(n), "tout": end}
    assert np.array_equal(TREE.mask(n, **given)[0], dense)
    assert TREE.pairs(n, **given) == [dense.sum()]
    q, k, v = torch.randn(3, 1, 1, n, 8).unbind()
    found = TREE.attention(q, k, v, **{name: torch.from_numpy(x) for name, x in given.items()})
    wanted = scaled_dot_product_attention(q, k, v, attn_mask=torch.from_numpy(dense))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@cache
def _parts() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return tuple(torch.randn(3, 2, N, 8, dtype=torch.float64) for _ in range(3))


def _attended(tin: torch.Tensor, tout: torch.Tensor, **options: Any) -> torch.Tensor:
    return TREE.attention(*_parts(), tin=tin, tout=tout, **options)


def test_integers_of_a_batch_and_of_heads_are_those_of_each() -> None:
    tin = torch.arange(N)
    tout = tin + torch.randint(1, 20, (3, 2, N), generator=torch.Generator().manual_seed(1))
    whole = _attended(tin, tout)
    for element in range(3):
        for head in range(2):
            alone = _attended(tin, tout[element, head])
            assert torch.equal(whole[element, head], alone[element, head])
    # Of two dimensions that have as many rows as there are batch elements, or heads.
    assert torch.equal(_attended(tin, tout[:, 0]), _attended(tin, tout[:, :1]))
    assert torch.equal(_attended(tin, tout[0]), _attended(tin, tout[:1]))


def test_queries_are_the_last_rows_and_padding_is_cut_away() -> None:
    tin = torch.arange(N)
    tout, (q, k, v) = (tin + 9).clamp(max=N), _parts()
    whole = _attended(tin, tout)
    for length in (33, N):
        given = {"tin": tin[:length], "tout": tout[:length]}
        step = TREE.attention(
            q[:, :, length - 1 : length], k[:, :, :length], v[:, :, :length], **given
        )
        torch.testing.assert_close(step, whole[:, :, length - 1 : length])
    real = tin < torch.tensor([[30], [N], [N]])
    padded = _attended(tin, tout[None].expand(3, N), key_padding=real)
    torch.testing.assert_close(padded[:, :, :22], whole[:, :, :22])


def test_slots_that_are_not_there_have_no_integers() -> None:
    pattern = Pattern("where(turn[j] <= turn[i]) on memory(2) + where(turn[j] == turn[i])")
    pair, turn = tuple(part[:, :, :0] for part in _parts()[1:]), torch.arange(N) // 3
    given = {"turn": turn, "turn_memory": turn[:0], "memory_kv": pair}
    found = pattern.attention(*_parts(), **given)
    torch.testing.assert_close(found, pattern.attention(*_parts(), backend="reference", **given))


REFUSED: dict[str, tuple[torch.Tensor, type[Exception], str]] = {
    "too few": (torch.arange(N - 1), ValueError, r"expected integers \[n\], .*; here n is 40"),
    "floats": (torch.arange(N) * 1.0, TypeError, "expected a tensor, integers"),
    "NaN": (torch.full((N,), torch.nan), TypeError, "expected a tensor, integers"),
    "booleans": (torch.arange(N) < 3, TypeError, "expected a tensor, integers"),
    "more than 30 bits": (torch.arange(N) << 26, ValueError, "numbers are -2.*30 to 2.*30 - 1"),
    "a batch of another size": (torch.zeros(4, N).long(), ValueError, "with batch 3 and 2 heads"),
    "other heads": (torch.zeros(3, 3, N).long(), ValueError, "with batch 3 and 2 heads"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_integers_that_do_not_fit_are_refused(what: str) -> None:
    tin, kind, message = REFUSED[what]
    with pytest.raises(kind, match=message):
        _attended(tin, torch.arange(N))


def test_rows_that_may_be_a_batch_or_heads_are_refused() -> None:
    q, tin = _parts()[0][:2], torch.arange(N)
    with pytest.raises(ValueError, match=r"it may be \[batch, n\] or \[heads, n\]"):
        TREE.attention(q, q, q, tin=tin.expand(2, N), tout=tin + 1)
    with pytest.raises(InputError, match=r"it may be \[batch, n\] or \[heads, n\]"):
        Pattern("heads 2\nvisible(tin, tout)").mask(N, tin=tin.expand(2, N), tout=tin + 1)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16])
def test_narrow_integers_are_those_of_64_bits(dtype: torch.dtype) -> None:
    pattern = Pattern("size near\nwhere(level[i] <= level[j] and abs(i - j) < near)")
    q, level, near = torch.randn(1, 1, 9, 4), torch.arange(9) % 4, torch.tensor([5])
    wanted = pattern.attention(q, q, q, level=level, near=near)
    found = pattern.attention(q, q, q, level=level.to(dtype), near=near.to(dtype))
    assert torch.equal(found, wanted)
