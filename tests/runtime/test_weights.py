"""Weights are those whose sums of values the output is: dense, of some slots, of some queries."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from patternc import Pattern

N, HEADS, SIZE = 20, 2, 8


@cache
def pattern(text: str) -> Pattern:
    return Pattern.parse(text)


def tokens(kv_heads: int = HEADS) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(7)
    q = torch.randn(2, HEADS, N, SIZE, dtype=torch.float64, requires_grad=True)
    k, v = torch.randn(2, 2, kv_heads, N, SIZE, dtype=torch.float64)
    return q, k.requires_grad_(), v


def pair(*sizes: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(*sizes, dtype=torch.float64), torch.randn(*sizes, dtype=torch.float64)


# Modifiers, labels, draws, outputs that are combined, searches, slots of sources.
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("causal\nlocal(3) with alibi + columns([0]) with softcap(2.5)", {}),
    (
        "(local(2) & same(document)) with sink",
        {"document": torch.arange(N) // 6, "sinks": pair(2)[0]},
    ),
    (
        "gate(local(2), mean(random(2), strided(3)), name=g)",
        {"g": torch.rand(2, HEADS, N, dtype=torch.float64)},
    ),
    ("causal\nnearest(3) - local(1) + local(1)", {}),
    ("lsh(4, chunk=4)", {}),
    ("local(1) + full on pool(4, mean) + full on persistent(2)", {"persistent_kv": pair(2, 2, 8)}),
    ("causal\nfeatures(map=elu)", {}),
)


@pytest.mark.parametrize(("text", "inputs"), CASES)
def test_weights_make_the_output_and_those_of_slots_are_their_columns(
    text: str, inputs: dict[str, Any]
) -> None:
    q, k, v = tokens()
    out, weights = pattern(text).attention(q, k, v, return_weights=True, **inputs)
    module = pattern(text).module
    if weights.shape[3] == N:
        torch.testing.assert_close(weights @ v, out)
        torch.testing.assert_close(out, pattern(text).attention(q, k, v, **inputs))
    if "nearest" not in text and "lsh" not in text:
        deciding = {name: each for name, each in inputs.items() if name == "document"}
        hidden = module.mask(N, **deciding).expand(weights.shape) == 0
        assert not weights[hidden].any()
    some = torch.tensor([5, 0, weights.shape[3] - 1])
    *_, columns = pattern(text).attention(q, k, v, return_weights=some, **inputs)
    torch.testing.assert_close(columns, weights[..., some])
    by_key = pattern(text).weights(q, k, v, slots=some, **inputs)
    torch.testing.assert_close(by_key.to_dense(), weights[..., some])


@pytest.mark.parametrize(("text", "inputs"), [each for each in CASES if "features" not in each[0]])
def test_rows_of_some_queries_are_those_of_all_with_gradients(
    text: str, inputs: dict[str, Any]
) -> None:
    q, k, v = tokens()
    *_, weights = pattern(text).attention(q, k, v, return_weights=True, **inputs)
    rows = [4, 5, 6, 19, 0]
    sparse = pattern(text).weights(q, k, v, queries=rows, **inputs)
    assert sparse.is_sparse
    torch.testing.assert_close(sparse.to_dense(), weights[:, :, rows])
    factor = torch.rand(sparse.shape, dtype=torch.float64)
    ours = torch.autograd.grad((sparse.to_dense() * factor).sum(), (q, k))
    theirs = torch.autograd.grad((weights[:, :, rows] * factor).sum(), (q, k))
    torch.testing.assert_close(ours, theirs)
    assert any(part.any() for part in ours)


def test_padded_sequences_have_the_weights_that_they_have_alone() -> None:
    q, k, v = tokens(kv_heads=1)
    real = torch.ones(2, N, dtype=torch.bool)
    real[1, :3], real[1, 9] = False, False
    given = pattern("local(2) + columns([-1])")
    out, lse, weights = given.attention(
        q, k, v, key_padding=real, return_weights=True, return_lse=True
    )
    assert lse.shape == weights.shape[:3]
    torch.testing.assert_close(weights @ v, out)
    _, alone = given.attention(*(part[1:, :, real[1]] for part in (q, k, v)), return_weights=True)
    torch.testing.assert_close(weights[1:, :, real[1]][..., real[1]], alone)
    assert not weights[1, :, :, ~real[1]].any()


def test_dropped_weights_are_those_of_the_output() -> None:
    q, k, v = tokens()
    out, weights = pattern("local(5)").attention(
        q, k, v, dropout=0.4, seed=3, return_weights=True, backend="cpu"
    )
    torch.testing.assert_close(weights @ v, out)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({}, TypeError, "one of queries="),
        ({"queries": [0], "slots": [0]}, TypeError, "one of queries="),
        ({"queries": [N]}, ValueError, "queries: 20 is not a number from 0 to 19"),
        ({"queries": []}, TypeError, "expected a list of numbers"),
        ({"slots": [0.5]}, TypeError, "expected a list of numbers"),
        ({"slots": [N]}, ValueError, "slots from 0 to 19"),
    ],
)
def test_what_is_not_a_query_or_a_slot_is_refused(asked: Any, error: Any, says: str) -> None:
    q, k, v = tokens()
    with pytest.raises(error, match=says):
        pattern("local(5)").weights(q, k, v, **asked)


def test_weights_of_a_long_sequence_name_what_to_ask_instead() -> None:
    q = torch.zeros(1, 1, 10_000, 4)
    with pytest.raises(ValueError, match=r"Pattern\.weights"):
        pattern("local(5)").attention(q, q, q, return_weights=True)
    with pytest.raises(TypeError, match="expected a bool, or integers"):
        pattern("local(5)").attention(q, q, q, return_weights=3)  # type: ignore[call-overload]


def test_vectors_that_are_added_to_values_change_no_weight() -> None:
    q, k, v = tokens()
    given = {"relative_values": pair(5, SIZE)[0]}
    with_vectors, without = pattern("local(3) with relative_values(2)"), pattern("local(3)")
    for asked in (True, torch.tensor([3, 0])):
        *_, weights = with_vectors.attention(q, k, v, return_weights=asked, **given)
        *_, same = without.attention(q, k, v, return_weights=asked)
        torch.testing.assert_close(weights, same)
    ours = with_vectors.weights(q, k, v, queries=[4, 0], **given)
    torch.testing.assert_close(ours.to_dense(), without.weights(q, k, v, queries=[4, 0]).to_dense())
