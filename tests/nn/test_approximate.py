"""Lists from an index of faiss: those of exact search where it is exact; refused without faiss."""

from __future__ import annotations

import sys

import pytest
import torch

from patternc import Pattern
from patternc.nn import approximate_lists

Q, K = torch.randn(2, 2, 4, 5, 8), torch.randn(2, 2, 2, 40, 8)


def test_without_faiss_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"pip install patternc\[faiss\]"):
        approximate_lists(Q[0], K[0], 3)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="heads a multiple of kv_heads"):
        approximate_lists(Q[0, :, :3], K[0], 3)
    with pytest.raises(ValueError, match="expected 1 or more"):
        approximate_lists(Q[0], K[0], 0)


def test_an_index_that_is_exact_gives_what_nearest_finds() -> None:
    pytest.importorskip("faiss")
    pattern, (q, _), (k, v) = Pattern.parse("nearest(3) on store(40)"), Q, K
    lists, recall = approximate_lists(q, k, 3, index="Flat")
    assert recall == 1
    wanted = pattern.attention(q, None, None, store_kv=(k, v))
    given = pattern.attention(q, None, None, store_kv=(k, v), nearest=lists)
    torch.testing.assert_close(given, wanted)
    _, some = approximate_lists(q, k, 3, index="IVF8,Flat")
    _, more = approximate_lists(q, k, 3, index="IVF8,Flat", search="nprobe=8")
    assert some < more == 1
