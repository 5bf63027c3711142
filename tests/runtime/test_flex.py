"""`Pattern.block_mask`, `mask_mod` and `score_mod`: with them flex_attention is the reference."""

from __future__ import annotations

import warnings
from functools import cache

import pytest
import torch
from torch.nn.attention.flex_attention import BlockMask, create_mask, flex_attention

from patternc import Pattern
from patternc.emit.backend import UnsupportedError
from patternc.runtime.load import load_module

N = 150
DOC = {"doc": torch.arange(N) // 37}
T5 = {"t5_bias": torch.linspace(-1, 1, 64).view(32, 2)}
CASES = {
    "local(40) + global([0, -1])": {},
    "causal\nheads 2\nlayers 2\nlocal(8 + 30 * head + layer) with alibi": {},
    "causal & same(doc)": DOC,
    "causal\nfull with t5(32, 128) with scale(1)": T5,
    "mix(local(9), segment(16))": {},
    "allow empty\nwhere(i % 7 != 3 and j <= i)": {},
}
# Two layers, of which FlexAttention holds the second.
PARTLY = "layers 2\nlayer == 0 -> full with rotary(10000)\nelse -> local(3)"


@pytest.fixture(autouse=True)
def eager():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def pattern(text: str) -> Pattern:
    return Pattern.parse(text)


def sample(queries: int = N) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    sizes = queries, N, N
    return tuple(torch.randn(1, 2, size, 16, generator=generator) for size in sizes)


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("queries", [N, 1])
def test_flex_attention_is_the_reference(text: str, queries: int) -> None:
    one, given = pattern(text), CASES[text]
    scale = 1.0 if "scale" in text else None
    asked = {"layer": (one.layers or 1) - 1, "queries": queries, "heads": 2, **given}
    mask, score = one.block_mask(N, **asked), one.score_mod(N, scale=scale, **asked)
    out = flex_attention(*sample(queries), score_mod=score, block_mask=mask, scale=scale)
    reference = load_module(one.compile(backends=["reference"])).reference
    wanted = reference(*sample(queries), layer=asked["layer"], **given)
    torch.testing.assert_close(out, wanted, rtol=0, atol=2e-6)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_mask_mod_is_the_mask_of_its_layer(layer: int) -> None:
    one = pattern("causal\nheads 2\nlayers 2\nlocal(8 + 30 * head + layer) with alibi")
    found = create_mask(one.mask_mod(N, layer=layer), 1, 2, N, N, "cpu")
    assert torch.equal(found[0], torch.from_numpy(one.mask(N, layer=layer)))


@pytest.mark.parametrize("size", [128, (64, 32), (48, 96), 1024])
def test_blocks_have_the_size_that_is_asked_for(size: int | tuple[int, int]) -> None:
    one = pattern("local(40) + global([0, -1])")
    found = one.block_mask(N, block_size=size, write_order=False)
    rows, keys = (size, size) if isinstance(size, int) else size
    mask = torch.from_numpy(one.mask(N))[0]
    mask = torch.nn.functional.pad(mask, (0, -N % keys, 0, -N % rows))
    seen = mask.unflatten(0, (-1, rows)).unflatten(2, (-1, keys)).any(3).any(1)
    assert (rows, keys) == found.BLOCK_SIZE
    assert torch.equal(found.to_dense().bool()[0, 0], seen)
    assert all(value is not None for value in (found.dq_write_order, found.dq_write_order_full))


def test_every_tensor_of_a_block_mask_is_there() -> None:
    found = pattern("local(40) + global([0, -1])").block_mask(N, write_order=True)
    # An explicit order of key blocks is given by no pattern; `dq_kv_order_spt` says which it is.
    missing = [name for name in BlockMask._TENSOR_ATTRS if getattr(found, name) is None]
    assert missing == ["dq_kv_order"]
    assert found.dq_kv_order_spt is True


def test_a_layer_that_flex_holds_is_given_beside_one_that_it_does_not() -> None:
    found = create_mask(pattern(PARTLY).mask_mod(N, layer=1), 1, 1, N, N, "cpu")
    assert torch.equal(found[0], torch.from_numpy(pattern(PARTLY).mask(N, layer=1)))
    with pytest.raises(UnsupportedError, match="`rotary` turns q and k before their product"):
        pattern(PARTLY).block_mask(N, layer=0)


def test_a_score_mod_is_refused_where_it_would_leave_something_out() -> None:
    with pytest.raises(ValueError, match="`sink` adds a logit"):
        pattern("full with sink").score_mod(N, sinks=torch.zeros(1))
    scaled = pattern("causal\nfull with t5(32, 128) with scale(1)")
    with pytest.raises(ValueError, match=r"score_mod\(\.\., scale=1"):
        scaled.score_mod(N, heads=2, **T5)
    assert pattern("full with sink").block_mask(N).to_dense().all()


def test_bad_arguments_are_named() -> None:
    one = pattern("causal\nheads 2\nlayers 2\nlocal(8 + 30 * head + layer) with alibi")
    for size, error in ((0, ValueError), ("128", TypeError), ((1, 2, 3), TypeError)):
        with pytest.raises(error, match="block_size"):
            one.block_mask(N, block_size=size)
    with pytest.raises(ValueError, match="layers 0 to 1"):
        one.mask_mod(N, layer=2)
    with pytest.raises(TypeError, match="'doc' is missing"):
        pattern("causal & same(doc)").block_mask(N)
    with pytest.raises(TypeError, match=r"n is 5\.0"):
        one.block_mask(5.0)
    with pytest.raises(TypeError, match="it is block_size="):
        one.block_mask(N, BLOCK_SIZE=64)


def test_slopes_of_alibi_ask_how_many_heads_there_are() -> None:
    slopes = pattern("causal\nfull with alibi")
    with pytest.raises(ValueError, match="heads is missing"):
        slopes.score_mod(N)
    q, k, v = sample()
    found = flex_attention(
        q, k, v, score_mod=slopes.score_mod(N, heads=2), block_mask=slopes.block_mask(N)
    )
    torch.testing.assert_close(found, slopes.attention(q, k, v), atol=1e-5, rtol=1e-5)
