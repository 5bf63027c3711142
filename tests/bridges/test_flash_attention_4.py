"""FlashAttention 4: the text of a mask_mod means the mask as CuTe computes; lists are torch's.

CuTe is stood in for by arrays whose `%` has the sign of what is divided, as its integers' has.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.bridges import flash_attention_4
from patternc.bridges.layer_masks import FormatError
from tests.bridges.programs import ROUND, SWEEP, program

MORE = [
    "causal & same(doc)",
    "heads 3\nlocal(3 + head % 2, dilation=2) & same(doc)",
    "where(tin[j] <= tin[i]) + columns([0])",
    "blocks(4) { same(doc) }",
    "where(i % 7 >= (i - j) % 3)",
    "where(abs(i - j) >= min(i, 5) and max(i, j) < 30)",
    "global(sel)",
    "none",
]
TEXTS = [
    pytest.param([*MORE, *(program(x, heads=True) for x in range(ROUND))], id="few"),
    pytest.param(
        [program(x, heads=True) for x in range(ROUND, SWEEP)], marks=pytest.mark.sweep, id="many"
    ),
]


class Lanes(np.ndarray):
    """Numbers of CuTe: divisions round down, remainders have the sign of what is divided."""

    def __mod__(self, other: Any) -> Any:
        return np.fmod(self, other)


def cutlass() -> dict[str, ModuleType]:
    """Modules that the text imports."""
    own, cute, flash = (ModuleType(name) for name in ("cutlass", "cutlass.cute", "flash_attn.cute"))
    vars(own).update(min=np.minimum, max=np.maximum, Boolean=bool, cute=cute)
    vars(cute).update(jit=lambda function: function)
    vars(flash).update(utils=SimpleNamespace(scalar_to_ssa=lambda value, _: value))
    return {"cutlass": own, "cutlass.cute": cute, "flash_attn.cute": flash}


def seen(text: str, n: int, queries: int, heads: int, tensors: list[np.ndarray]) -> np.ndarray:
    """What the text's `mask_mod` says of all pairs, [heads, queries, n]."""
    defined: dict[str, Any] = {}
    exec(text, defined)
    h, r, c = (x.view(Lanes) for x in np.indices((heads, queries, n)))
    lengths = SimpleNamespace(seqlen_q=queries, seqlen_k=n)
    found = defined["mask_mod"]([h * 0], [h], [r], [c], lengths, tensors)
    return np.broadcast_to(found, (heads, queries, n))


@pytest.mark.parametrize("texts", TEXTS)
def test_the_text_of_a_mask_mod_means_the_mask(
    texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module in cutlass().items():
        monkeypatch.setitem(sys.modules, name, module)
    for k, text in enumerate(texts):
        pattern, n = Pattern.parse(text), 12 + k % 37
        given = {x.name: np.arange(n) // 5 - (k % 2) for x in pattern.inputs}
        if "blocks" in text:
            given = {name: x[: -(-n // 4)] for name, x in given.items()}
        if "sel" in given:
            given["sel"] = np.arange(n) % 5 == 2
        mask, queries = pattern.mask(n, **given), n - k % 5
        tensors = [x[None].astype(np.int32) for x in given.values()]
        written = flash_attention_4.mask_mod(pattern)
        found = seen(written, n, queries, len(mask), tensors)
        assert np.array_equal(found, mask[:, n - queries :]), written


def test_the_text_is_a_few_lines() -> None:
    pattern = Pattern.parse("causal\nrows([0]) & same(doc)")
    lines = flash_attention_4.mask_mod(pattern).splitlines()
    assert lines[9:-3] == [
        "# causal",
        "# rows([0]) & same(doc)",
        "# aux_tensors[0]: `doc`, int32 [batch, n], an integer of each",
        "@cute.jit",
        "def mask_mod(batch, head, m_idx, n_idx, seqlen_info, aux_tensors):",
        "    n = seqlen_info.seqlen_k",
        "    b, h, j = batch[0], head[0], n_idx[0]",
        "    i = m_idx[0] + n - seqlen_info.seqlen_q",
        "    table0 = aux_tensors[0]",
        "    seen = (i >= 0) & (i == 0) & _same_label_of_pair(table0, b, h, i, j) & (j <= i)",
        "    return utils.scalar_to_ssa(seen, cutlass.Boolean)",
    ]
    # By which compiled kernels are kept, also of a text that lies in no file.
    assert lines[-1].startswith("mask_mod.__cute_hash__ = ")
    assert lines[-1] not in flash_attention_4.mask_mod(pattern | Pattern.diagonal())


def test_lists_are_those_of_the_block_mask() -> None:
    pattern = Pattern.parse("causal\nlocal(70)")
    asked = {"block_size": (64, 128), "write_order": True}
    found = flash_attention_4.block_sparse_tensors(pattern, 256, **asked)
    mask = pattern.block_mask(256, **asked)
    assert torch.equal(found["mask_block_cnt"], mask.kv_num_blocks)
    assert torch.equal(found["full_block_idx"], mask.full_kv_indices)
    assert found["mask_block_idx"].dtype == torch.int32
    assert found["block_size"] == (64, 128)
    # The order of additions belongs to the lists of the backward pass: their shapes are equal.
    assert "dq_write_order" not in found
    back = flash_attention_4.block_sparse_tensors(pattern, 256, backward=True, **asked)
    assert torch.equal(back["mask_block_idx"], mask.q_indices)
    assert back["dq_write_order"].shape == back["mask_block_idx"].shape
    assert back["spt"] is True


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("random(3)", "would look up a table of draws or constants for every pair"),
        ("listed(keys)", "would look up `keys` for every pair"),
        ("size w\nwhere(i - j < w)", "would look up `w` for every pair"),
        ("full on encoder", "keys of `encoder`"),
        ("where(i * 100000 > j)", "numbers beyond"),
    ],
)
def test_what_no_text_holds_is_refused(text: str, told: str) -> None:
    with pytest.raises(FormatError) as caught:
        flash_attention_4.mask_mod(Pattern.parse(text))
    assert told in str(caught.value)


def test_modifiers_and_blocks_that_no_kernel_has_are_refused() -> None:
    capped = Pattern.parse("causal\nfull with softcap(30)")
    with pytest.raises(FormatError, match="would lose `softcap`"):
        flash_attention_4.block_sparse_tensors(capped, 256)
    assert flash_attention_4.block_sparse_tensors(capped, 256, mask_only=True)
    with pytest.raises(FormatError, match="no blocks of 60 queries and 128 keys"):
        flash_attention_4.block_sparse_tensors(capped, 256, (60, 128), mask_only=True)
