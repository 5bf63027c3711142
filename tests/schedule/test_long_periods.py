"""Conditions that repeat after more positions than there can be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern


@pytest.mark.parametrize("text", ["where(i % (2**32 - 1) == j)", "where(j % (2**32 - 1) == i)"])
def test_they_are_compiled_and_reported_as_any_other(text: str) -> None:
    """No list of all tiles up to the period is made: it would take hours."""
    pattern = Pattern.parse(text)
    assert np.array_equal(pattern.mask(300)[0], np.eye(300, dtype=bool))
    assert np.array_equal(pattern.module.mask(300)[0], np.eye(300, dtype=bool))
    parts = torch.randn(3, 1, 1, 300, 8).unbind(0)
    torch.testing.assert_close(pattern.attention(*parts), parts[2])
    assert "1,000,000,000" in str(pattern.report(10**9))
