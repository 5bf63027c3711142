"""The kernel over pages: each sequence alone by the dense reference, with pages shuffled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from types import ModuleType

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.algebra.evaluate import holds
from patternc.algebra.intervals import Sizes, values_of_row
from patternc.algebra.simplify import TRUE
from patternc.emit.backend import UnsupportedError
from patternc.emit.paged.layers import pages_of
from patternc.runtime.load import load_module
from patternc.zoo import zoo
from tests.emit.test_generated_text import ruff

pytest.importorskip("triton")

PAGE = 16
# (queries, tokens) of each sequence: decoding steps, a chunk of a prompt, several drafted tokens.
SEQUENCES = [(1, 100), (3, 37), (1, 1)]
PATTERNS = {
    "causal": "causal",
    "sliding window": "causal\nlocal(left=20)",
    "sinks and window": "causal\ncolumns([0:4]) + local(left=30)",
    "strided": "causal\nlocal(left=3) + strided(32)",
    "blocks": "causal\nsegment(32, back=1)",
    "summaries": "causal\nsegment(32) + columns(period(64, 48:64))",
    "alibi": "causal\nlocal(left=40) with alibi",
    "softcap": "causal with softcap(5)",
    "scaled": "causal\nlocal(left=40) with scale(0.3)",
    "windows by head": "causal\nheads 4\nlocal(left=4 + 16 * head)",
    "two kinds of heads": "causal\nheads 4\nhead < 2 -> local(left=9)\nelse -> full with alibi",
    "counted twice": "causal\nmix(local(left=20), columns([0:8]))",
    "of the number of tokens": "causal\nwhere(j >= n - 20 or j < 5)",
}


def caches(dtype: torch.dtype, key_heads: int, head_dim: int, pages: int) -> list[torch.Tensor]:
    """Pages that no sequence has hold NaN, and so do all slots until they are written."""
    shape = (pages, PAGE, key_heads, head_dim)
    return [torch.full(shape, torch.nan, dtype=dtype) for _ in range(2)]


@cache
def parsed(text: str) -> Pattern:
    """Its modules are built once."""
    return Pattern.parse(text)


@cache
def reference(text: str) -> ModuleType:
    return load_module(Pattern.parse(text).compile(backends=["reference"]))


class Batch:
    """Sequences with keys and values of their own, in the pages of one cache."""

    def __init__(self, dtype=torch.float32, heads=4, key_heads=2, head_dim=16, hidden=None):
        torch.manual_seed(0)
        self.sequences = [
            [
                torch.randn(1, count, length, head_dim).to(dtype)
                for count, length in ((heads, queries), (key_heads, n), (key_heads, n))
            ]
            for queries, n in SEQUENCES
        ]
        most = max(-(-n // PAGE) for _, n in SEQUENCES)
        order = iter((torch.randperm(64) + 1).tolist())
        self.k, self.v = caches(dtype, key_heads, head_dim, 65)
        self.table = torch.zeros(len(SEQUENCES), most, dtype=torch.int32)  # page 0 is nobody's
        for row, (_, k, v) in enumerate(self.sequences):
            for page in range(-(-k.shape[2] // PAGE)):
                if hidden is not None and hidden(row, page):
                    continue
                self.table[row, page] = at = next(order)
                for cached, own in ((self.k, k), (self.v, v)):
                    held = own[0, :, page * PAGE : (page + 1) * PAGE].transpose(0, 1)
                    cached[at, : len(held)] = held
        self.q = torch.cat([q[0].transpose(0, 1) for q, _, _ in self.sequences])
        counts = torch.tensor([0, *(queries for queries, _ in SEQUENCES)], dtype=torch.int32)
        self.starts = counts.cumsum(0).to(torch.int32)
        self.lengths = torch.tensor([n for _, n in SEQUENCES], dtype=torch.int32)

    def paged(self, pattern: Pattern, **options):
        lists = self.starts, self.lengths, self.table
        return pattern.paged_attention(self.q, self.k, self.v, *lists, **options)

    def alone(self, text: str, **options):
        found = [
            reference(text).reference(*parts, return_lse=True, **options)
            for parts in self.sequences
        ]
        outs, lses = zip(*found, strict=True)
        return (
            torch.cat([out[0].transpose(0, 1) for out in outs]),
            torch.cat([lse[0].transpose(0, 1) for lse in lses]),
        )


@pytest.mark.parametrize("text", PATTERNS.values(), ids=list(PATTERNS))
def test_packed_queries_equal_each_sequence_alone(text):
    batch, pattern = Batch(), parsed(text)
    out, lse = batch.paged(pattern, splits=3, return_lse=True)
    expected = batch.alone(text)
    torch.testing.assert_close(out, expected[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(lse.double(), expected[1].double(), atol=1e-5, rtol=1e-5)


def test_half_precision_grouped_heads_and_head_sizes_of_two_parts():
    text = PATTERNS["sinks and window"]
    batch = Batch(torch.float16, heads=6, key_heads=2, head_dim=24)
    out = batch.paged(parsed(text), splits=1)
    torch.testing.assert_close(out, batch.alone(text)[0], atol=2e-3, rtol=2e-3)


def test_learned_sinks_enter_the_denominator():
    text = "causal\nlocal(left=20) with sink"
    batch, sinks = Batch(), torch.tensor([0.5, -1.0, 2.0, 0.0])
    found = batch.paged(parsed(text), sinks=sinks, return_lse=True)
    for own, other in zip(found, batch.alone(text, sinks=sinks), strict=True):
        torch.testing.assert_close(own, other.float(), atol=1e-5, rtol=1e-5)


def test_pages_that_no_query_needs_are_not_read():
    """Their entries name page 0, which holds NaN as a page that was dropped may."""
    text = "causal\ncolumns([0:4]) + local(left=30)"
    pattern = parsed(text)

    def dropped(row, page):
        queries, n = SEQUENCES[row]
        return pattern.live_pages(n - queries - 1, page=PAGE).may_drop(page) if n > queries else 0

    batch = Batch(hidden=dropped)
    assert (batch.table[0] == 0).sum() > 2
    torch.testing.assert_close(batch.paged(pattern), batch.alone(text)[0], atol=1e-5, rtol=1e-5)


def test_caches_of_another_order_are_taken_by_their_strides():
    batch, text = Batch(), PATTERNS["sliding window"]
    expected = batch.paged(parsed(text))
    side_by_side = torch.cat([batch.k, batch.v], 3).transpose(1, 2).contiguous().transpose(1, 2)
    batch.k, batch.v = side_by_side[..., :16], side_by_side[..., 16:]
    assert torch.equal(batch.paged(parsed(text)), expected)


def test_a_rank_of_tensor_parallelism_has_some_of_the_heads():
    text = PATTERNS["two kinds of heads"]
    batch, pattern = Batch(), parsed(text)
    whole = batch.paged(pattern)
    batch.q, batch.k, batch.v = batch.q[:, 2:], batch.k[:, :, 1:], batch.v[:, :, 1:]
    part = batch.paged(pattern, first_head=2, all_heads=4)
    torch.testing.assert_close(part, whole[:, 2:])
    with pytest.raises(ValueError, match="pass all of them, or all_heads=4"):
        batch.paged(pattern)


def test_layers_differ():
    batch, text = Batch(), "causal\nlayers 2\nlayer == 0 -> local(left=9)\nelse -> strided(16)"
    for layer in (0, 1):
        expected = batch.alone(text, layer=layer)[0]
        torch.testing.assert_close(batch.paged(parsed(text), layer=layer), expected)
    with pytest.raises(ValueError, match="layers count from 0 to 1"):
        batch.paged(parsed(text), layer=2)


def test_the_grid_follows_from_shapes_and_padding_gives_zeros():
    """As in a CUDA graph: sequences and tokens behind the last one are there and count nothing."""
    text = PATTERNS["sliding window"]
    batch, pattern = Batch(), parsed(text)
    expected = batch.paged(pattern)
    batch.q = torch.cat([batch.q, torch.full_like(batch.q[:3], torch.nan)])
    batch.starts = torch.cat([batch.starts, batch.starts[-1:]])
    batch.lengths = torch.cat([batch.lengths, torch.zeros(1, dtype=torch.int32)])
    batch.table = torch.cat([batch.table, torch.zeros_like(batch.table[:1])])
    out, lse = batch.paged(pattern, return_lse=True)
    torch.testing.assert_close(out[:-3], expected)
    assert not out[-3:].any()
    assert torch.isneginf(lse[-3:]).all()


@pytest.mark.parametrize("text", PATTERNS.values(), ids=list(PATTERNS))
def test_a_row_visits_the_pages_that_hold_a_key_it_sees_and_no_others(text):
    pattern = parsed(text)
    for relation in pattern.relations():
        formulas = [branch.formula for branch in relation.branches]
        for n, row in ((1, 0), (70, 69), (130, 40), (130, 129)):
            for formula in formulas:
                runs, visited = pages_of(formula, PAGE)
                pages = np.concatenate([values_of_row(run, row, Sizes(n, n)) for run in runs])
                held = holds(visited, {"i": row, "j": pages, "n": n, "m": n})
                if text == PATTERNS["summaries"]:  # by residues, with no page to ask about
                    assert visited == TRUE
                found = pages[np.broadcast_to(held, pages.shape)]
                keys = np.arange(n)
                seen = holds(formula, {"i": row, "j": keys, "n": n, "m": n})
                needed = np.unique(keys[np.broadcast_to(seen, keys.shape)] // PAGE)
                assert sorted(found.tolist()) == needed.tolist()


def test_the_file_is_clean(tmp_path):
    for name, text in PATTERNS.items():
        source = Pattern.parse(text).compile(backends=["paged"], tiles=(16, 16))
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(source)
    found = ruff("check", "--isolated", "--select=E4,E7,E9,F,ARG", str(tmp_path))
    assert found.strip() == "All checks passed!"
    assert "would" not in ruff(
        "format", "--isolated", "--line-length=100", "--check", str(tmp_path)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("causal & same(doc)", "run-time inputs"),
        ("causal with rotary(10000)", "turn q and k yourself"),
        ("causal + full on memory(4)", "keys of `memory`"),
        ("causal\ngate(local(left=3), full, name=g)", "joins several softmaxes"),
        ("causal with t5(32, 128)", "looks up a table"),
    ],
)
def test_what_pages_cannot_hold_is_refused(text, said):
    with pytest.raises(UnsupportedError, match=said):
        Pattern.parse(text).compile(backends=["paged"])


def test_unsuitable_tensors_are_refused():
    batch, pattern = Batch(), parsed("causal")
    batch.lengths = batch.lengths.long()
    with pytest.raises(TypeError, match=r"seq_lens is torch.int64 .* expected int32"):
        batch.paged(pattern)
    batch = Batch()
    batch.k = batch.k.half()
    with pytest.raises(TypeError, match="expected one dtype"):
        batch.paged(pattern)
    batch = Batch()
    batch.k, batch.v = batch.k[:, :12], batch.v[:, :12]
    with pytest.raises(ValueError, match="pages have 12 tokens; expected one of 16"):
        batch.paged(pattern)
    batch = Batch()
    batch.starts = batch.starts[1:]
    with pytest.raises(ValueError, match="query_start_loc needs one number more"):
        batch.paged(pattern)
    batch = Batch()
    batch.q.requires_grad_()
    with pytest.raises(RuntimeError, match="has no gradients"):
        batch.paged(pattern)


SCRIPT = """
import json, sys
from patternc import Pattern
from patternc.runtime.load import load_module
from patternc.zoo import zoo
from patternc.runtime.compile_offline import SHARED_MEMORY, compile_offline
for text in sys.argv[1:]:
    module = load_module(Pattern.parse(text).compile(backends=["paged"], tiles=(16, 32)))
    for binary in compile_offline(module, "sm_90", "bfloat16", 64):
        print(json.dumps([binary.kind, binary.spills, binary.tensor_core, binary.shared_bytes]))
"""


def test_kernels_compile_for_sm_90_without_spills():
    """A process of its own: the interpreter compiles nothing."""
    env = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    texts = [PATTERNS[name] for name in ("two kinds of heads",)]
    command = [sys.executable, "-c", SCRIPT, *texts]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 3
    for kind, spills, tensor_core, shared in found:
        assert (spills, shared <= 227 << 10) == (0, True)
        assert bool(tensor_core) == (kind == "paged")


@pytest.mark.sweep
@pytest.mark.parametrize("name", zoo())
def test_examples_that_pages_hold_equal_their_reference(name):
    pattern = Pattern.from_zoo(name)
    try:
        text = pattern.compile(backends=["paged"])
    except UnsupportedError:
        pytest.skip("pages do not hold it")
    span = pattern.fitting()
    n = 70 if span is None else span[1]
    module, dense = load_module(text), load_module(pattern.compile(backends=["reference"]))
    heads = pattern.heads or 2
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, heads, count, 16) for count in (2, n, n))
    pages = -(-n // PAGE)
    cached = [torch.zeros(pages * PAGE, heads, 16) for _ in range(2)]
    for cache_, own in zip(cached, (k, v), strict=True):
        cache_[:n] = own[0].transpose(0, 1)
    lists = ([0, 2], [n], [list(range(pages))])
    given = {"sinks": torch.randn(heads)} if "sinks" in dense.INPUTS else {}
    found = module.paged_attention(
        q[0].transpose(0, 1),
        *(each.view(pages, PAGE, heads, 16) for each in cached),
        *(torch.tensor(each, dtype=torch.int32) for each in lists),
        splits=2,
        **given,
    )
    expected = dense.reference(q, k, v, **given)[0].transpose(0, 1)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
