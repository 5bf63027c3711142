"""Calls that do not fit a pattern, and what they are told, letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern

Q = torch.zeros(2, 4, 20, 16)
LABELS = torch.zeros(20, dtype=torch.long)
KEPT = torch.zeros(2, 4, 5, 16)
WINDOW = Pattern.parse("heads 4\nlayers 2\nlocal(2)")
ANY_HEADS, MANY = Pattern.parse("local(1)"), torch.zeros(1, 257, 4, 16)
SAME = Pattern.parse("same(doc)")
READ = Pattern.parse("before(tout)")
SCORED = Pattern.parse("nearest(2, scores=s)")
HASHED = Pattern.parse("lsh(4, chunk=4, rotations=r)")
CLUSTERED = Pattern.parse("cluster(2, 4, means=m)")
HELD = Pattern.parse("local(1) + full on memory(4)")
BIASED = Pattern.parse("local(9) with bias(near)")
LEARNED = Pattern.parse("local(1) + full on persistent(3)")
TURNED = Pattern.parse("local(1) with rotary(10000)")
MIXED = Pattern.parse("full on project(4)")
NO_TENSOR = "expected a tensor [batch, heads, n, head_dim]"
LABELLED = "integers [n] or [batch, n]; negative: equal to nothing"
READ_INTEGERS = "integers [n], [batch, n], [heads, n] or [batch, heads, n]"
MEMORY = "keys and values: a pair of floats [batch, kv_heads, m, head_dim]; the newest m or fewer"
WEIGHTS = "for keys and for values, a pair or one for both: floats [m, n] or [kv_heads, m, n]"

Ask = Callable[[], Any]
CASES: dict[str, tuple[Ask, type[Exception], str]] = {
    "a list for q": (
        lambda: WINDOW.attention([1.0], Q, Q),
        TypeError,
        f"q is a list; {NO_TENSOR}",
    ),
    "an array for k": (
        lambda: WINDOW.attention(Q, Q.numpy(), Q),
        TypeError,
        f"k is a ndarray; {NO_TENSOR}",
    ),
    "nothing for v": (
        lambda: WINDOW.attention(Q, Q, None),
        ValueError,
        "k and v are missing; this pattern has terms on the tokens",
    ),
    "key heads that do not divide the query heads": (
        lambda: WINDOW.attention(Q, Q[:, :3], Q[:, :3]),
        ValueError,
        "k has 3 heads; expected a divisor of q's 4",
    ),
    "no key heads": (
        lambda: WINDOW.attention(Q, Q[:, :0], Q[:, :0]),
        ValueError,
        "k has 0 heads; expected a divisor of q's 4",
    ),
    "more heads than there are random numbers for": (
        lambda: ANY_HEADS.attention(MANY, MANY, MANY, dropout=0.1),
        ValueError,
        "q has 257 heads; dropout has random numbers for 256 at most",
    ),
    "other heads than the program's": (
        lambda: WINDOW.attention(Q[:, :2], Q[:, :2], Q[:, :2]),
        ValueError,
        "q has 2 heads; this pattern has 4",
    ),
    "a layer that is no number": (
        lambda: WINDOW.attention(Q, Q, Q, layer="first"),
        TypeError,
        "layer is 'first'; expected an integer",
    ),
    "a layer too many": (
        lambda: WINDOW.attention(Q, Q, Q, layer=2),
        ValueError,
        "layer 2 is out of range; this pattern has layers 0 to 1",
    ),
    "a scale that is not finite": (
        lambda: WINDOW.attention(Q, Q, Q, scale=float("nan")),
        ValueError,
        "scale is nan; expected a finite number",
    ),
    "a scale that is no number": (
        lambda: WINDOW.attention(Q, Q, Q, scale="small"),
        TypeError,
        "scale is 'small'; expected a number",
    ),
    "labels of another length": (
        lambda: SAME.attention(Q, Q, Q, doc=LABELS[:19]),
        ValueError,
        f"doc has shape [19]; expected {LABELLED}; here n is 20",
    ),
    "labels of another batch": (
        lambda: SAME.attention(Q, Q, Q, doc=LABELS.expand(3, -1)),
        ValueError,
        f"doc has shape [3, 20]; expected {LABELLED} with batch 2 and 4 heads",
    ),
    "labels that are no integers": (
        lambda: SAME.attention(Q, Q, Q, doc=LABELS.float()),
        TypeError,
        f"doc: expected a tensor, {LABELLED}; torch.float32 is given",
    ),
    "labels in a list": (
        lambda: SAME.attention(Q, Q, Q, doc=[0] * 20),
        TypeError,
        f"doc: expected a tensor, {LABELLED}; list is given",
    ),
    "labels that are booleans": (
        lambda: SAME.attention(Q, Q, Q, doc=LABELS > 0),
        TypeError,
        f"doc: expected a tensor, {LABELLED}; torch.bool is given",
    ),
    "labels of an integer type that torch does not compare": (
        lambda: SAME.attention(Q, Q, Q, doc=LABELS.to(torch.uint16)),
        TypeError,
        f"doc: expected a tensor, {LABELLED}; torch.uint16 is given",
    ),
    "a mask for a bias": (
        lambda: BIASED.attention(Q, Q, Q, near=torch.ones(20, 20) > 0),
        TypeError,
        "near is torch.bool; expected floats [heads, queries, keys]",
    ),
    "slots that are integers": (
        lambda: LEARNED.attention(Q, Q, Q, persistent_kv=(torch.zeros(4, 3, 16).long(),) * 2),
        TypeError,
        "persistent_kv is torch.int64; expected keys and values: a pair of floats "
        "[kv_heads, m, head_dim]",
    ),
    "rotary of an odd head size": (
        lambda: TURNED.attention(Q[..., :15], Q[..., :15], Q),
        ValueError,
        "rotary turns pairs of dimensions; q and k have an odd head size, 15",
    ),
    "no labels": (
        lambda: SAME.attention(Q, Q, Q),
        TypeError,
        f"the run-time input 'doc' is missing: labels, {LABELLED}",
    ),
    "no integers, which their shape begins with": (
        lambda: READ.attention(Q, Q, Q),
        TypeError,
        f"the run-time input 'tout' is missing: {READ_INTEGERS}",
    ),
    "scores of the wrong number of heads": (
        lambda: SCORED.attention(Q, Q, Q, s=torch.zeros(2, 2, 20, 20)),
        ValueError,
        "s has shape [2, 2, 20, 20]; expected floats [batch, heads or 1, queries, keys or blocks "
        "of keys]; here [1 or 2, 1 or 4, 20, any]",
    ),
    "directions of hashes for one head of four": (
        lambda: HASHED.attention(Q, Q, Q, r=torch.zeros(1, 16, 1, 2)),
        ValueError,
        "r has shape [1, 16, 1, 2]; expected floats [heads, head_dim, rounds, buckets // 2]; "
        "directions of the hashes; here [4, 16, any, any]",
    ),
    "clusters of the last rows alone": (
        lambda: CLUSTERED.attention(Q[:, :, :3], Q, Q, m=torch.zeros(4, 2, 16)),
        ValueError,
        "clusters take queries among all rows: there are 3 queries and 20 keys; give lists, as "
        "found_lists of all rows returns them, for steps of decoding",
    ),
    "more memory than declared": (
        lambda: HELD.attention(Q, Q, Q, memory_kv=(KEPT, KEPT)),
        ValueError,
        f"memory_kv has shape [2, 4, 5, 16], [2, 4, 5, 16]; expected {MEMORY}; "
        "here [2, 4, at most 4, 16], [2, 4, at most 4, 16]",
    ),
    "one tensor for keys and values": (
        lambda: HELD.attention(Q, Q, Q, memory_kv=KEPT),
        TypeError,
        f"memory_kv: expected 2 tensors, {MEMORY}; Tensor is given",
    ),
    "weights of another length": (
        lambda: MIXED.attention(Q, Q, Q, project_weights=(torch.zeros(4, 19),) * 2),
        ValueError,
        f"project_weights has shape [4, 19], [4, 19]; expected {WEIGHTS}; here [4, 20], [4, 20]",
    ),
    "a mask of no length": (
        lambda: WINDOW.module.mask(4.0),
        TypeError,
        "n is 4.0; expected an integer",
    ),
    "a mask of fewer than no tokens": (
        lambda: WINDOW.module.mask(-1),
        ValueError,
        "n is -1; expected 0 or more",
    ),
    "rows of a mask that are no number": (
        lambda: WINDOW.module.mask(4, queries=2.5),
        TypeError,
        "queries is 2.5; expected an integer",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_call_that_does_not_fit_is_told_what_is_expected(what: str) -> None:
    ask, kind, message = CASES[what]
    with pytest.raises(kind) as caught:
        ask()
    assert str(caught.value) == message


def test_numbers_of_other_libraries_are_numbers() -> None:
    plain = WINDOW.module.mask(5, layer=1, queries=3)
    for number in (np.int64, torch.tensor):
        found = WINDOW.module.mask(number(5), layer=number(1), queries=number(3))
        assert torch.equal(found, plain)


def test_learned_slots_take_the_dtype_of_the_queries() -> None:
    """They are parameters, and the model around them may work in half precision."""
    slots = tuple(torch.randn(2, 4, 3, 16))
    for dtype, backend in ((torch.bfloat16, "cpu"), (torch.float16, "triton")):
        q = torch.randn(1, 4, 20, 16).to(dtype)
        low = tuple(part.to(dtype) for part in slots)
        found = LEARNED.attention(q, q, q, persistent_kv=slots, backend=backend)
        assert torch.equal(found, LEARNED.attention(q, q, q, persistent_kv=low, backend=backend))
