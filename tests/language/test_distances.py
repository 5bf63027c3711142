"""Distances as bands and remainders, and the pairs that they mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.language import PatternError
from patternc.language.elaborate.distances import progressions


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([3], [(3, 3, 1)]),
        ([5, 1, 2, 2, 3, 9], [(1, 3, 1), (5, 5, 4), (9, 9, 1)]),
        ([0, 4, 8, 12, 13], [(0, 12, 4), (13, 13, 1)]),
        ([-7, 0, 7], [(-7, -7, 7), (0, 0, 7), (7, 7, 1)]),
    ],
)
def test_neighbours_and_evenly_spaced_distances_are_found(
    numbers: list[int], found: list[tuple[int, int, int]]
) -> None:
    assert list(progressions(numbers)) == found


@pytest.mark.parametrize(
    "listed", ["[0, 1, 4]", "[-3:2, 8, 16, 24, 32]", "[1, 4, 7, 10, 13]", "[-2 ** 40, 5]"]
)
@pytest.mark.parametrize("causal", [False, True])
def test_offsets_hold_the_pairs_at_their_distances(listed: str, causal: bool) -> None:
    n = 40
    distance = np.arange(n) - np.arange(n)[:, None]
    numbers = {"[-3:2, 8, 16, 24, 32]": [-3, -2, -1, 0, 1, 8, 16, 24, 32]}
    wanted = np.isin(-distance if causal else distance, numbers.get(listed) or eval(listed))
    header = "causal\nallow empty\n" if causal else "allow empty\n"
    pattern = Pattern(f"{header}offsets({listed})")
    assert np.array_equal(pattern.mask(n)[0], wanted & (distance <= 0) if causal else wanted)
    assert pattern.pairs(n) == [pattern.mask(n).sum()]


def test_kernels_attend_to_many_distances() -> None:
    torch.manual_seed(0)
    pattern = Pattern("causal\noffsets(powers(2)) + diagonal")
    q, k, v = torch.randn(3, 1, 1, 150, 16).unbind()
    found = pattern.attention(q, k, v, backend="triton")
    torch.testing.assert_close(found, pattern.attention(q, k, v, backend="reference"))


def test_evenly_spaced_offsets_are_computed_over_classes_of_positions() -> None:
    offsets = ", ".join(str(16 * k) for k in range(64))
    assert "_Classes(" in Pattern(f"causal\noffsets([{offsets}])").compile()


def test_too_many_bands_are_refused() -> None:
    squares = ", ".join(str(k * k) for k in range(2, 140))
    with pytest.raises(PatternError, match="more than 128 bands"):
        Pattern(f"offsets([{squares}])")
