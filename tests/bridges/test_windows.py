"""Windows of other libraries: both ways, proved for every n, and refused where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.bridges import deepspeed, flash_attention, onnx, xformers
from patternc.bridges.layer_masks import FormatError

WINDOWS = {
    "full": (-1, -1, False),
    "causal": (-1, 0, True),
    "causal\nlocal(left=4095)": (4095, 0, True),
    "heads 2\nlocal(5)": (5, 5, False),
    "local(left=3, right=9)": (3, 9, False),
    "where(j >= i - 7)": (7, -1, False),
    "where(j <= i + 7)": (-1, 7, False),
}
OTHERS = ["strided(2)", "local(3) + columns([0])", "heads 2\nlocal(3 + head)", "same(doc)", "none"]


@pytest.mark.parametrize("text", WINDOWS)
def test_a_window_is_written_and_read(text: str) -> None:
    pattern, (left, right, causal) = Pattern.parse(text), WINDOWS[text]
    found = flash_attention.export(pattern)
    assert found == {"causal": causal, "window_size": (left, right)}
    attributes = onnx.window(pattern)
    wanted = {"left_window_size": left, "right_window_size": -1 if causal else right}
    assert attributes == {"is_causal": int(causal), **wanted}
    for read in (flash_attention.load(**found), onnx.load(**attributes)):
        assert np.array_equal(read.mask(40)[0], pattern.mask(40)[0])


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is given a window"):
        flash_attention.export(Pattern.parse(text))


def test_onnx_has_a_mask_for_what_is_no_window() -> None:
    pattern = Pattern.parse("heads 2\nlocal(3 + head) + columns([0])")
    found = onnx.attention(pattern, 20)
    assert found.attributes == {}
    assert found.attn_mask is not None
    assert np.array_equal(found.attn_mask[0], pattern.mask(20))
    assert onnx.attention(Pattern.parse("causal"), 20).attn_mask is None
    with pytest.raises(FormatError, match="`alibi`"):
        onnx.attention(Pattern.parse("causal\nfull with alibi"), 20)


def test_sides_below_minus_one_are_refused() -> None:
    with pytest.raises(ValueError, match="expected -1"):
        flash_attention.load((-2, 0))
    with pytest.raises(ValueError, match="expected -1"):
        onnx.load(left_window_size=-2)


class Sliding:
    """A configuration as DeepSpeed has them."""

    block = 4

    def make_layout(self, n: int) -> torch.Tensor:
        blocks = torch.arange(n // self.block)
        near = (blocks[:, None] - blocks).abs() <= 1
        return (near | (blocks == 0)).to(torch.int64).expand(2, -1, -1)


def test_layouts_of_deepspeed_are_read() -> None:
    found = deepspeed.from_config(Sliding(), 48)
    wanted = Pattern.parse("blocks(4) { local(1) + columns([0]) }")
    assert found.report.found
    assert np.array_equal(found.pattern.mask(48), wanted.mask(48))
    with pytest.raises(ValueError, match=r"expected 0 and 1, \[heads, blocks, blocks\]"):
        deepspeed.load(np.ones((4, 4)), 16)
    with pytest.raises(ValueError, match="block is 0"):
        deepspeed.load(np.ones((1, 4, 4)), 0)


class LowerTriangular:
    """A bias as xFormers has them."""

    def materialize(self, shape: tuple[int, int]) -> torch.Tensor:
        return torch.full(shape, -torch.inf).triu(1)


def test_biases_of_xformers_are_read() -> None:
    assert xformers.load(LowerTriangular(), 20).pattern.text == "causal\n"


def test_splash_attention_asks_tiles_of_the_pattern() -> None:
    pytest.importorskip("jax", reason="jax is not among the test dependencies")
    from patternc.bridges import splash

    pattern = Pattern.parse("heads 2\ncausal\nlocal(3 + head) + columns([0])")
    mask = splash.multi_head(pattern, 40)
    wanted = pattern.mask(40)
    assert mask.shape == (2, 40, 40)
    assert np.array_equal(mask[1, 8:16, 0:24], wanted[1, 8:16, 0:24])
    assert mask.masks[0] != mask.masks[1]
    assert mask.masks[0] == splash.PatternMask(pattern, 40)
    with pytest.raises(TypeError, match="expected two slices"):
        mask.masks[0][3]
