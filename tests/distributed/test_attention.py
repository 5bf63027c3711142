"""Attention of shards against one process, on gloo: outputs, gradients and bytes.

`make test` spawns two processes once, for three patterns; `@pytest.mark.sweep` takes 1 to 8 and a
pattern of each kind.
"""

import pytest
import torch

from patternc import Pattern
from patternc.distributed import attention
from tests.distributed.processes import compared, several, spawned

LABELS = torch.arange(5).repeat_interleave(8)[:37]
CASES = [
    ("local(3) + global([0])", 2, 2, 37, "contiguous", None, {}),
    ("causal\nlocal(left=5, dilation=2)", 4, 2, 40, "head_tail", None, {}),
    ("causal\nlocal(left=4)", 2, 1, 37, "striped", None, {}),
    ("causal\nheads 2\nmix(segment(8), segment(16, dilation=2, offset=head))", 2, 2, 40,
     "contiguous", None, {}),
    ("blocks(4) { local(1) + global([0, -1]) + random(2) }", 2, 2, 40, "contiguous", None, {}),
    ("heads 2\nlocal(5) with alibi", 2, 2, 21, "contiguous", None, {}),
    ("causal\nsame(document)", 2, 2, 37, "contiguous", None, {"document": LABELS}),
    ("full on pool(4, mean) + local(2)", 2, 2, 37, "contiguous", None, {}),
    ("local(6)", 2, 2, 4, "contiguous", None, {}),
]  # fmt: skip
UNEVEN = ("causal\nlocal(left=6) with softcap(5)", 2, 2, 37, "contiguous")


def uneven(ranks):
    counts = {2: (37, 0), 3: (30, 0, 7)}.get(ranks) or (37 - ranks + 1, *[1] * (ranks - 1))
    return (*UNEVEN, counts, {})


def test_shards_compute_what_one_process_does_and_send_what_is_planned():
    """And ranks that differ, or end, are told."""
    spawned(several, 2, [CASES[0], CASES[6], uneven(2)])


@pytest.mark.parametrize("text", ["causal\nlocal(3) + nearest(2)", "full on stream(g, 2)"])
def test_what_has_no_division_is_refused_before_anything_is_sent(text):
    q = torch.randn(1, 2, 4, 8)
    with pytest.raises(ValueError, match=r"cannot be divided among ranks; gather k and v"):
        attention(q, q, q, Pattern.parse(text))


@pytest.mark.parametrize("name", ["dropout", "positions", "return_lse", "start"])
def test_arguments_that_are_not_divided_are_refused(name):
    q = torch.randn(1, 2, 4, 8)
    with pytest.raises(ValueError, match=f"attention over ranks takes no {name}="):
        attention(q, q, q, Pattern.parse("causal"), **{name: 1})


@pytest.mark.sweep
@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 8])
def test_other_numbers_of_ranks_and_kinds_of_patterns(ranks):
    spawned(compared, ranks, [*CASES, uneven(ranks)])
