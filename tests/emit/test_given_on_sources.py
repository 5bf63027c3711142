"""Run-time inputs on every source: their length, the rows that they are of, and unused ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern

N, SLOTS, DIM = 8, 5, 8
_pattern = cache(Pattern.parse)
Inputs = dict[str, torch.Tensor]

# The source, how many slots it has, and the inputs that bring them.
SOURCES: dict[str, tuple[str, int, str]] = {
    "tokens": ("", N, ""),
    "memory": ("on memory(5)", SLOTS, "memory_kv"),
    "compressed": ("on compressed(5, rate=2)", SLOTS, "compressed_kv"),
    "pool": ("on pool(2, mean)", N // 2, ""),
    "project": ("on project(5)", SLOTS, "project_weights"),
    "persistent": ("on persistent(5)", SLOTS, "persistent_kv"),
    "stream": ("on stream(g, 5)", SLOTS, "g_kv"),
    "tree": ("on tree(2)", 15, "tree_kv"),
    "encoder": ("on encoder", SLOTS, "encoder_kv"),
}
WITH_BLOCKS = ("tokens", "memory", "stream", "encoder")


def _brought(name: str, slots: int) -> dict[str, Any]:
    if not name:
        return {}
    shape = {"persistent_kv": (2, slots, DIM), "project_weights": (slots, N)}
    part = torch.randn(shape.get(name, (2, 2, slots, DIM)))
    return {name: (part, part)}


def _answers(
    text: str, source: str, inputs: Inputs, queries: int = N
) -> dict[str, Callable[[], Any]]:
    """Everything that looks at run-time inputs; masks as booleans [batch, queries, keys]."""
    pattern, (_, slots, name) = _pattern(text), SOURCES[source]
    arrays = {key: value.numpy() for key, value in inputs.items()}
    sizes = {source: slots} if source in ("memory", "compressed", "encoder") else None
    q, k = torch.randn(2, 2, queries, DIM), torch.randn(2, 2, N, DIM)
    call = {**_brought(name, slots), **inputs}

    def attention(backend: str) -> Callable[[], Any]:
        return lambda: pattern.attention(q, k, k, backend=backend, **call)

    found = {
        "Pattern.mask": lambda: pattern.mask(N, queries, slots=sizes, **arrays),
        "mask": lambda: pattern.module.mask(N, queries=queries, slots=sizes, **inputs).numpy(),
        **{backend: attention(backend) for backend in ("reference", "cpu", "triton")},
    }
    return (
        found
        if queries < N
        else {**found, "pairs": lambda: pattern.pairs(N, slots=sizes, **arrays)}
    )


def _agree(text: str, source: str, inputs: Inputs, queries: int = N) -> Any:
    answers = {name: ask() for name, ask in _answers(text, source, inputs, queries).items()}
    assert np.array_equal(answers["Pattern.mask"], answers["mask"])
    for backend in ("cpu", "triton"):
        torch.testing.assert_close(answers[backend], answers["reference"])
    if "pairs" in answers:
        assert answers["pairs"] == answers["mask"].sum((-1, -2)).tolist()
    return answers["mask"]


@pytest.mark.filterwarnings("ignore:chosen. integers are positions")
@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("source", SOURCES)
def test_a_set_has_the_length_of_the_source_that_it_is_on(source: str, block: int) -> None:
    on, slots, _ = SOURCES[source]
    if block > 1 and source not in WITH_BLOCKS:
        pytest.skip("no blocks on this source")
    body = "columns(chosen)" if block == 1 else f"blocks({block}) {{ columns(chosen) }}"
    text, count = f"{body} {on}", -(-slots // block)
    marks = torch.zeros(count, dtype=torch.bool)
    marks[[0, -1]] = True
    seen = np.repeat(marks.numpy(), block)[:slots]
    if source == "memory" and block > 1:  # counted from the end
        seen = np.repeat(marks.numpy(), block)[-slots:]
    ends = [torch.tensor([0, last]) for last in (-1, count - 1)]
    for chosen in (marks, marks.expand(2, count), *ends):
        mask = _agree(text, source, {"chosen": chosen})
        assert (mask.reshape(-1, slots) == seen).all()
    for size in {count - 1, count + 1, 2 * N} - {count}:
        for wrong in (torch.ones(size) > 0, torch.ones(2, size) > 0):
            for name, ask in _answers(text, source, {"chosen": wrong}).items():
                with pytest.raises(ValueError, match=rf"chosen.*\[{count}\]|here n is {count}"):
                    pytest.fail(f"{name} takes {size} of {count}: {ask()}")
    for name, ask in _answers(text, source, {"chosen": torch.tensor([2, count])}).items():
        with pytest.raises(ValueError, match=f"position {count}"):
            pytest.fail(f"{name} takes a position past the end: {ask()}")


@pytest.mark.filterwarnings("ignore:.*the queries are the last rows")
@pytest.mark.parametrize("source", ["tokens", "memory", "encoder"])
@pytest.mark.parametrize("queries", [1, 3, N])
@pytest.mark.parametrize("block", [1, 3])
def test_the_labels_of_queries_are_those_of_the_last_rows(
    source: str, queries: int, block: int
) -> None:
    on, slots, _ = SOURCES[source]
    text = f"same(doc) {on}" if block == 1 else f"blocks({block}) {{ same(doc) }} {on}"
    draw = torch.Generator().manual_seed(queries)
    doc = torch.randint(0, 3, (2, -(-N // block)), generator=draw)
    keys = f"doc_{source}" if source != "tokens" else "doc"
    inputs = {"doc": doc, keys: torch.randint(-1, 3, (2, -(-slots // block)), generator=draw)}
    mask = _agree(text, source, inputs, queries)[:, 0]
    rows = inputs["doc"].repeat_interleave(block, 1)[:, N - queries : N]
    columns = inputs[keys].repeat_interleave(block, 1)
    columns = columns[:, -slots:] if source == "memory" else columns[:, :slots]
    wanted = (rows[:, :, None] == columns[:, None]) & (rows[:, :, None] >= 0)
    assert np.array_equal(mask, wanted.numpy())


def test_more_queries_than_tokens_have_labels_on_an_encoder_from_the_last_on() -> None:
    pattern = _pattern("same(doc) on encoder")
    doc, keys = torch.tensor([0, 1, 1]), torch.tensor([1, 0, -1])
    inputs = {"doc": doc, "doc_encoder": keys}
    wanted: list[list[int]] = [[], [], [1], [0], [0]]
    arrays = {name: value.numpy() for name, value in inputs.items()}
    slots = {"encoder": 3}
    found = pattern.mask(3, 5, slots=slots, **arrays)[0]
    assert [np.flatnonzero(row).tolist() for row in found] == wanted
    assert pattern.module.mask(3, queries=5, slots=slots, **inputs)[0].tolist() == found.tolist()


UNREACHED = """heads 2
layers 2
head == 7                -> same(doc) + listed(plan) + full with bias(scores)
layer == 7               -> blocks(2) { columns(chosen) } + full on memory(2)
layer == 1 and head == 0 -> blocks(4) { same(spans) } + local(1)
else                     -> blocks(2) { same(spans) } + local(2)"""


def test_inputs_of_rules_that_a_layer_does_not_reach_may_be_anything() -> None:
    pattern, q = _pattern(UNREACHED), torch.randn(2, 2, N, DIM)
    unused = {"doc": torch.zeros(3, 2).long(), "plan": torch.zeros(1, 1).long()}
    unused["chosen"] = torch.ones(3) > 0
    spans = torch.tensor([0, 0, 1, 1])
    arrays = {name: value.numpy() for name, value in {**unused, "spans": spans}.items()}
    wanted = pattern.mask(N, spans=spans.numpy())
    assert np.array_equal(pattern.mask(N, **arrays), wanted)
    assert np.array_equal(pattern.module.mask(N, spans=spans, **unused).numpy(), wanted)
    assert pattern.pairs(N, **arrays) == wanted.sum((1, 2)).tolist()
    for backend in ("reference", "cpu", "triton"):
        found = pattern.attention(
            q, q, q, spans=spans, backend=backend, scores=None, memory_kv=None, **unused
        )
        plain = pattern.attention(q, q, q, spans=spans, backend=backend)
        assert torch.equal(found, plain)
    with pytest.raises(TypeError, match="unexpected argument 'docs'"):
        pattern.attention(q, q, q, spans=spans, docs=unused["doc"])


def test_an_input_counts_the_blocks_of_the_layer_that_is_called() -> None:
    text = "layers 2\nlayer == 0 -> blocks(2) { same(doc) }\nelse -> blocks(4) { same(doc) }"
    pattern = _pattern(text)
    q = torch.randn(1, 2, N, DIM)
    for layer, block in ((0, 2), (1, 4)):
        doc = torch.arange(N // block)
        wanted = pattern.mask(N, layer=layer, doc=doc.numpy())
        assert pattern.module.mask(N, layer=layer, doc=doc).tolist() == wanted.tolist()
        pattern.attention(q, q, q, layer=layer, doc=doc)
        with pytest.raises(ValueError, match=f"here n is {N // block}"):
            pattern.attention(q, q, q, layer=layer, doc=torch.arange(N))


PROJECTED = {
    "global([0], projection=g) + local(1) + full on encoder": [0],
    "local(1) + rows(chosen, projection=g) + local(3) on encoder": [2, 5],
    "rows([1, -1], projection=g) + full on encoder": [1, N - 1],
    "mix(full, rows([1, -1], projection=g) + full on encoder)": [1, N - 1],
    "blocks(2) { rows([1], projection=g) } + local(2) + (full - rows([3])) on encoder": [2, 3],
    "rows(period(3, 1:2), projection=g) + causal on encoder": [1, 4, 7],
}


@pytest.mark.filterwarnings("ignore:chosen. integers are positions")
@pytest.mark.parametrize("queries", [1, 4, N])
@pytest.mark.parametrize("text", PROJECTED)
def test_rows_with_a_projection_use_its_queries_on_an_encoder_too(text: str, queries: int) -> None:
    pattern, rows = _pattern(text), PROJECTED[text]
    draw = torch.Generator().manual_seed(0)
    q, k, v, *g = (torch.randn(2, 2, N, DIM, generator=draw, dtype=torch.float64) for _ in range(6))
    pair = [torch.randn(2, 2, SLOTS, DIM, generator=draw, dtype=torch.float64) for _ in range(2)]
    given = {"chosen": torch.tensor([2, 5])} if "chosen" in text else {}
    times = pattern.module.multiplicity(N, slots={"encoder": SLOTS}, **given)

    def attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        keys, values = torch.cat([k, pair[0]], 2), torch.cat([v, pair[1]], 2)
        weights = (q @ keys.mT / DIM**0.5).exp() * times
        return weights / weights.sum(-1, keepdim=True).clamp(min=1e-300) @ values

    wanted = attended(q, k, v)
    wanted[:, :, rows] = attended(*g)[:, :, rows]
    if not re.search(r"full on encoder\)?$", text):
        queries = N  # all of them: what else stands on an encoder counts queries from 0
    last = slice(N - queries, N)
    for backend in ("reference", "cpu", "triton"):
        kind = torch.float32 if backend == "triton" else torch.float64
        asking = [part[:, :, last].to(kind) for part in (q, g[0])]
        k_, v_, *rest = (part.to(kind) for part in (k, v, *g[1:], *pair))
        call = {"g": (asking[1], *rest[:2]), "encoder_kv": rest[2:], **given}
        found = pattern.attention(asking[0], k_, v_, backend=backend, **call)
        torch.testing.assert_close(found.double(), wanted[:, :, last], atol=1e-5, rtol=1e-5)


def test_a_projection_on_an_encoder_has_gradients() -> None:
    pattern = _pattern("global([0, 3], projection=g) + local(1) + full on encoder")
    draw = torch.Generator().manual_seed(0)
    parts = [torch.randn(1, 2, N, DIM, generator=draw, requires_grad=True) for _ in range(8)]
    found = {}
    for backend in ("reference", "cpu", "triton"):
        q, k, v, *rest = parts
        out = pattern.attention(q, k, v, g=rest[:3], encoder_kv=rest[3:], backend=backend)
        found[backend] = torch.autograd.grad((out * out).sum(), parts)
    for backend in ("cpu", "triton"):
        for one, other in zip(found[backend], found["reference"], strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
