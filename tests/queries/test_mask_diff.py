"""`Pattern.diff` with masks: pairs that differ at the length of the mask, and texts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern

WINDOW = Pattern.parse("causal\nlayers 2\nlocal(3 + layer)")


def test_a_mask_is_compared_with_one_layer() -> None:
    mask = WINDOW.mask(20, layer=1)
    assert WINDOW.diff(mask, layer=1).outcome == "equal"
    found = WINDOW.diff(torch.from_numpy(mask))
    assert found.outcome == "different"
    assert found.witness is not None
    assert found.witness.first == (4, 0)
    assert (found.witness.only_left, found.witness.only_right) == (0, 16)


def test_functions_and_block_masks_are_compared() -> None:
    assert WINDOW.diff(lambda b, h, q, k: (q >= k) & (q - k <= 3), 33).outcome == "equal"
    assert WINDOW.diff(WINDOW.block_mask(40, block_size=16, layer=1), layer=1).outcome == "equal"


def test_inputs_and_fewer_queries_are_those_of_the_call() -> None:
    one = Pattern.parse("heads 2\nsame(doc) & local(4 + head)")
    doc = np.arange(20) // 6
    mask = one.mask(20, queries=5, doc=doc)
    assert one.diff(mask, doc=doc).outcome == "equal"
    mask[1, 2, 17] ^= True
    found = one.diff(mask, doc=doc)
    assert found.witness is not None
    assert (found.witness.head, found.witness.first) == (1, (17, 17))


def test_a_text_is_a_pattern() -> None:
    assert WINDOW.diff("causal\nlayers 2\nlocal(left=3 + layer)").outcome == "equal"


def test_what_is_for_masks_or_patterns_only_is_refused() -> None:
    with pytest.raises(TypeError, match="doc is for masks"):
        WINDOW.diff("full", doc=np.zeros(4))
    with pytest.raises(ValueError, match="cannot be compared"):
        Pattern.parse("heads 2\nfull").diff(np.ones((3, 4, 4), bool))
    with pytest.raises(ValueError, match="n is 9, and the mask has 4 keys"):
        WINDOW.diff(np.ones((4, 4), bool), 9)
