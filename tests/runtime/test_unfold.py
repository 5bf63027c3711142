"""Windows that are encoded apart, against those of py-sled 0.1.7 (tests/oracles)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.runtime.unfold import Windows

MASKS = sorted((Path(__file__).parents[1] / "oracles" / "masks").glob("sled_*.npz"))


@pytest.mark.parametrize("path", MASKS, ids=[path.stem for path in MASKS])
def test_a_token_sees_the_window_that_keeps_it_through_every_layer(path: Path) -> None:
    """Two layers of full attention inside windows: what each kept output depends on."""
    with np.load(path) as file:
        mask, config = file["mask"][0], json.loads(str(file["meta"]))["config"]
    size, prefix = config["context_size"], config["prefix"]
    windows = Windows(size, int(size * (1 - config["window_fraction"]) / 2))
    n = mask.shape[1] - prefix
    places = torch.eye(mask.shape[1], dtype=torch.float64)[None]
    states = windows.split(places[:, prefix:], places[:, :prefix] if prefix else None)
    attention = Pattern.parse("full").module.reference
    for _ in range(2):
        q = torch.zeros(states.shape[0], 1, states.shape[1], 1, dtype=torch.float64)
        states = attention(q, q, states[:, None])[:, 0]
    seen = windows.join(states, n, prefix)[0] > 0
    assert (seen.numpy() == mask[-n:]).all()


@pytest.mark.parametrize(("n", "size", "margin"), [(0, 8, 2), (1, 8, 2), (8, 8, 2), (37, 9, 3)])
def test_every_token_is_kept_once(n: int, size: int, margin: int) -> None:
    windows, states = Windows(size, margin), torch.randn(2, n, 3)
    assert [place for own in windows.kept(n) for place in own] == list(range(n))
    question = torch.zeros(2, 4, 3)
    assert windows.join(windows.split(states), n).equal(states)
    if n:
        assert windows.join(windows.split(states, question), n, 4).equal(states)


def test_a_margin_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="size above twice the margin"):
        Windows(8, 4)
