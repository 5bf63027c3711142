"""Padding, caches, positions and ranks: each sequence is computed as it would be by itself."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.semantics.errors import InputError

Tensor = torch.Tensor
B, N, D = 3, 40, 16
LENGTHS = (40, 17, 9)
_pattern = cache(Pattern.parse)


def _padding(side: str) -> Tensor:
    slot, lengths = torch.arange(N), torch.tensor(LENGTHS)[:, None]
    match side:
        case "behind":
            return slot < lengths
        case "before":
            return slot >= N - lengths
        case _:
            return (slot * 7 + torch.arange(B)[:, None]) % 5 > 1


def _inputs(name: str) -> dict[str, Any]:
    drawn = {
        "doc": torch.randint(0, 3, (B, N)).sort(1).values,
        "chosen": torch.rand(B, N) < 0.3,
        "b": torch.randn(B, 2, N, N),
        "positions": torch.randn(N, D),
        "memory_kv": (torch.randn(B, 2, 4, D), torch.randn(B, 2, 4, D)),
        "g": tuple(torch.randn(3, B, 2, N, D)),
    }
    return {name: drawn[name]} if name else {}


def _of(name: str, value: Any, b: int, real: Tensor) -> Any:
    """The input of one sequence without padding."""
    match name:
        case "doc" | "chosen":
            return value[b : b + 1, real]
        case "b":
            return value[b : b + 1][..., real, :][..., real]
        case "positions":
            return value[: len(real)]
        case "g":
            return tuple(part[b : b + 1, :, real] for part in value)
        case _:
            return tuple(part[b : b + 1] for part in value)


TEXTS = [
    ("local(3) + global([0, -1])", ""),
    ("columns([n - 1]) + where(i + j < n) + random(2)", ""),
    ("segment(8) with rotary(10000)", ""),
    ("full on pool(4, mean) + local(2)", ""),
    ("causal & same(doc)", "doc"),
    ("local(2) + columns(chosen)", "chosen"),
    ("full with bias(b)", "b"),
    ("local(5) with absolute(positions)", "positions"),
    ("local(2) + full on memory(4)", "memory_kv"),
    ("local(2) + rows([0:3], projection=g)", "g"),
]


@pytest.mark.parametrize(("text", "name"), TEXTS)
def test_a_padded_batch_is_each_sequence_alone(text: str, name: str) -> None:
    torch.manual_seed(0)
    pattern, inputs = _pattern(text), _inputs(name)
    leaves = [part.requires_grad_() for part in torch.randn(3, B, 2, N, D)]
    weight = torch.randn(B, 2, N, D)
    for side in ("behind", "before", "between"):
        padding = _padding(side)
        out = pattern.attention(*leaves, key_padding=padding, **inputs)
        wanted, total = torch.zeros_like(out), torch.zeros(())
        for b in range(B):
            real = padding[b].nonzero()[:, 0]
            given = {at: _of(at, value, b, real) for at, value in inputs.items()}
            alone = pattern.reference(*(part[b : b + 1, :, real] for part in leaves), **given)
            wanted[b : b + 1, :, real] = alone.detach()
            total = total + (alone * weight[b : b + 1, :, real]).sum()
        torch.testing.assert_close(out, wanted, atol=3e-5, rtol=1e-4)
        found = torch.autograd.grad((out * weight).sum(), leaves)
        torch.testing.assert_close(found, torch.autograd.grad(total, leaves), atol=1e-4, rtol=1e-4)


def test_the_same_holds_for_kernels_of_a_gpu() -> None:
    torch.manual_seed(4)
    pattern, padding = _pattern("local(3) + columns([n - 1])"), _padding("before")[:2, 20:]
    leaves = [part.requires_grad_() for part in torch.randn(3, 2, 2, 20, D)]
    options: dict[str, Any] = {"key_padding": padding, "return_lse": True}
    out, lse = pattern.attention(*leaves, backend="triton", **options)
    wanted = pattern.reference(*leaves, **options)
    torch.testing.assert_close((out, lse), wanted, atol=3e-5, rtol=1e-4)
    found = torch.autograd.grad(out.square().sum(), leaves)
    whole = torch.autograd.grad(wanted[0].square().sum(), leaves)
    torch.testing.assert_close(found, whole, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("queries", [1, 5])
def test_a_cache_is_each_sequence_with_the_keys_in_use(queries: int) -> None:
    pattern = _pattern("local(3) + columns([n - 1])")
    torch.manual_seed(1)
    q, (k, v) = torch.randn(B, 4, queries, D), torch.randn(2, B, 2, N, D)
    first = torch.tensor([3, 0, 2])
    padding = torch.arange(N) >= first[:, None]
    for given, starts in (({}, [0, 0, 0]), ({"key_padding": padding}, first.tolist())):
        out, lse = pattern.attention(
            q, k, v, cache_lengths=torch.tensor(LENGTHS), return_lse=True, **given
        )
        for b, (start, stop) in enumerate(zip(starts, LENGTHS, strict=True)):
            keys = (part[b : b + 1, :, start:stop] for part in (k, v))
            alone = pattern.reference(q[b : b + 1], *keys, return_lse=True)
            torch.testing.assert_close((out[b : b + 1], lse[b : b + 1]), alone)


def test_queries_stand_where_positions_say() -> None:
    pattern = _pattern("local(3) + columns([n - 1])")
    torch.manual_seed(2)
    q, (k, v) = torch.randn(B, 2, 6, D), torch.randn(2, B, 2, N, D)
    positions = torch.tensor([[5, 6, 7, 1, 2, -1], [0, 1, 2, 3, 4, 12], [3, 3, 3, 4, 4, -1]])
    out, lse = pattern.attention(
        q, k, v, positions=positions, cache_lengths=LENGTHS, return_lse=True
    )
    for b, length in enumerate(LENGTHS):
        for row, at in enumerate(positions[b].tolist()):
            found = out[b : b + 1, :, row : row + 1]
            if at < 0:
                assert not found.any()
                assert (lse[b, :, row] == -torch.inf).all()
                continue
            keys = (part[b : b + 1, :, :length] for part in (k, v))
            alone = pattern.reference(q[b : b + 1, :, row : row + 1], *keys, start=at)
            torch.testing.assert_close(found, alone)
    one = pattern.attention(q[:1], k[:1], v[:1], positions=[5, 6, 7, 1, 2, 0])
    torch.testing.assert_close(
        one[:, :, :5], pattern.attention(q, k, v, positions=positions)[:1, :, :5]
    )


@pytest.mark.parametrize(
    "text",
    [
        "heads 4\ncausal with alibi",
        "heads 4\nhead < 2 -> random(3) + local(1)\nelse -> strided(4)",
        "heads 4\nlocal(head + 1) with sink",
        "causal",
    ],
)
def test_a_rank_computes_its_heads_of_the_whole(text: str) -> None:
    pattern = _pattern(text)
    torch.manual_seed(3)
    q, k, v = torch.randn(3, 2, 4, N, D)
    inputs = {"sinks": torch.randn(4)} if "sink" in text else {}
    whole = pattern.reference(q, k, v, **inputs)
    for rank in (slice(0, 2), slice(2, 4)):
        given = {name: value[rank] for name, value in inputs.items()}
        part = pattern.attention(q[:, rank], k[:, rank], v[:, rank], heads=rank, **given)
        torch.testing.assert_close(part, whole[:, rank])
    if pattern.heads:
        assert np.array_equal(pattern.mask(9, heads=slice(1, 3)), pattern.mask(9)[1:3])


def test_ranks_of_one_seed_drop_other_weights() -> None:
    pattern, q, v = _pattern("heads 4\nlocal(4)"), torch.zeros(1, 2, N, D), torch.randn(1, 2, N, D)
    drop = {"dropout": 0.5, "seed": 1}
    one, other = (pattern.attention(q, q, v, heads=slice(a, a + 2), **drop) for a in (0, 2))
    assert not torch.equal(one, other)


def test_masks_lie_as_the_call_does() -> None:
    pattern = _pattern("causal & same(doc)")
    padding, doc = _padding("before").numpy(), _inputs("doc")["doc"].numpy()
    found = pattern.mask(N, key_padding=padding, doc=doc)
    for b in range(B):
        real = padding[b].nonzero()[0]
        wanted = np.zeros((1, N, N), dtype=bool)
        wanted[np.ix_([0], real, real)] = pattern.mask(len(real), doc=doc[b, real])
        assert np.array_equal(found[b], wanted)
    window = _pattern("local(3) + columns([n - 1])")
    cached = window.mask(N, 2, cache_lengths=LENGTHS)
    assert np.array_equal(cached[1][..., :17], window.mask(17, 2))
    assert not cached[1][..., 17:].any()
    assert np.array_equal(window.mask(N, 3, start=7), window.mask(N)[:, 7:10])
    placed = window.mask(N, positions=[3, -1, 0])
    assert np.array_equal(placed[:, ::2], window.mask(N)[:, [3, 0]])
    assert not placed[:, 1].any()
    assert window.mask(N, heads=slice(2, 4)).shape == (1, N, N)


def test_masks_have_the_batch_of_their_inputs() -> None:
    pattern, doc = _pattern("causal & same(doc)"), _inputs("doc")["doc"].numpy()
    found = pattern.mask(N, positions=[N - 1, 3], doc=doc)
    assert np.array_equal(found, pattern.mask(N, doc=doc)[:, :, [N - 1, 3]])
    with pytest.raises(ValueError, match=r"here \[3, 40\]"):
        pattern.mask(N, key_padding=np.ones((1, N), bool), doc=doc)
    encoder = _pattern("same(doc) on encoder")
    given = {"doc": np.zeros(4, int), "doc_encoder": np.array([0, 1, 0])}
    found = encoder.mask(4, key_padding=[[True, True, True, False]], slots={"encoder": 3}, **given)
    assert found[0].tolist() == [[True, False, True]] * 3 + [[False] * 3]


def test_no_queries_stand_anywhere() -> None:
    part, none = torch.randn(1, 2, 5, D), torch.randn(1, 2, 0, D)
    for placed in ({"cache_lengths": [3]}, {"key_padding": torch.ones(1, 5, dtype=torch.bool)}):
        out = _pattern("local(3) + columns([n - 1])").attention(none, part, part, **placed)
        assert out.shape == none.shape


COMPILED: list[tuple[str, dict[str, Any]]] = [
    ("local(8) + columns([0, -1])", {"key_padding": _padding("between")}),
    ("(causal & local(5)) with sink", {"cache_lengths": torch.tensor(LENGTHS)}),
    ("local(4) + full on memory(4)", {"positions": [*range(3, N), 0, -1, 1], "dropout": 0.3}),
]


@pytest.mark.parametrize(("text", "placed"), COMPILED)
def test_a_compiled_call_is_one_graph_with_the_same_numbers(
    text: str, placed: dict[str, Any]
) -> None:
    torch.compiler.reset()
    pattern, queries = _pattern(text), 3 if "cache_lengths" in placed else N
    given: dict[str, Any] = {
        "sinks": torch.randn(2, requires_grad=True),
        "memory_kv": tuple(torch.randn(2, B, 2, 4, D).requires_grad_()),
    }
    given = {name: value for name, value in given.items() if name in pattern.module.INPUTS}
    q, k, v = (torch.randn(B, 2, rows, D, requires_grad=True) for rows in (queries, N, N))
    leaves = [q, k, v, *(given[name] for name in given if name == "sinks")]

    def results(seed: int) -> tuple[Tensor, ...]:
        out, lse = pattern.attention(q, k, v, return_lse=True, seed=seed, **placed, **given)
        return out, lse.clamp(min=-9)

    found, wanted = torch.compile(results, fullgraph=True, backend="aot_eager")(7), results(7)
    torch.testing.assert_close(found, wanted)
    gradients = (
        torch.autograd.grad(sum(part.square().sum() for part in each), leaves)
        for each in (found, wanted)
    )
    torch.testing.assert_close(*gradients)


def test_a_compiled_call_draws_a_seed_for_every_call() -> None:
    part, real = torch.randn(B, 2, N, D), _padding("behind")
    pattern = _pattern("local(8) + columns([0, -1])")
    compiled = torch.compile(
        lambda: pattern.attention(part, part, part, key_padding=real, dropout=0.5),
        fullgraph=True,
        backend="aot_eager",
    )
    assert not torch.equal(compiled(), compiled())


def test_opcheck_of_padded_calls() -> None:
    from patternc.runtime import padded_operator

    pattern, real = _pattern("local(8) + columns([0, -1])"), _padding("behind")
    parts = [torch.randn(B, 2, N, D, requires_grad=True) for _ in range(3)]
    tensors = parts, ["q", "k", "v"], [real], ["key_padding"]
    call = *tensors, pattern.module.__name__, 0, True, None, "auto", 0.0
    operator = getattr(torch.ops.patternc, padded_operator.OPERATOR.name)
    torch.library.opcheck(operator.default, call)


def test_autocast_reaches_rows_of_padding() -> None:
    parts = [torch.randn(B, 2, N, D) for _ in range(3)]
    with torch.autocast("cpu", torch.bfloat16):
        out = _pattern("local(3)").attention(*parts, key_padding=_padding("behind"))
    assert out.dtype == torch.bfloat16


def test_values_that_cannot_be_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    part, real = torch.randn(2, B, 2, N, D), torch.stack([_padding("behind")] * 2)

    def attention(part: Tensor, real: Tensor) -> Tensor:
        return _pattern("local(3)").attention(part, part, part, key_padding=real)

    mapped = torch.func.vmap(attention, (0, None))(part, real[0])
    torch.testing.assert_close(mapped[1], attention(part[1], real[0]))
    with pytest.raises(RuntimeError, match=r"torch\.func\.vmap maps over"):
        torch.func.vmap(attention)(part, real)


ONES = torch.ones(B, N, dtype=torch.bool)
REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"key_padding": ONES.int()}, TypeError, "True for a real key"),
    ({"key_padding": ONES[:, 1:]}, ValueError, r"expected \[batch, n\], here \[3, 40\]"),
    ({"key_padding": torch.arange(N) < 9 * ONES}, ValueError, "cache_lengths="),
    ({"cache_lengths": [1, 2]}, ValueError, r"expected \[batch\], here \[3\]"),
    ({"cache_lengths": [5, 41, 5]}, ValueError, "has 41; k has 40 slots"),
    ({"cache_lengths": [5, 1, 5]}, ValueError, r"cache_lengths\[1\] is 1, but q has 2 queries"),
    ({"positions": [0, 40]}, ValueError, "positions are 0 to 39, and -1"),
    ({"positions": [-2, 0]}, ValueError, "has -2"),
    ({"positions": [0, 1, 2]}, ValueError, r"expected \[queries\]"),
    ({"positions": [0.0, 1.0]}, TypeError, "expected integers"),
    ({"positions": [0, 1], "start": 0}, ValueError, "cannot be given together"),
    ({"heads": slice(0, 3)}, ValueError, "q has 2 heads; expected 3"),
    ({"heads": 2}, TypeError, r"expected slice\(a, b\)"),
    ({"retun_lse": True}, TypeError, "retun_lse"),
]


@pytest.mark.parametrize(("options", "error", "match"), REFUSED)
def test_a_call_that_says_what_cannot_be_is_refused(
    options: dict[str, Any], error: type[Exception], match: str
) -> None:
    q, part = torch.randn(B, 2, 2, D), torch.randn(B, 2, N, D)
    with pytest.raises(error, match=match):
        _pattern("local(3) + columns([n - 1])").attention(q, part, part, **options)


def test_what_cannot_be_cut_is_refused() -> None:
    part, before = torch.randn(B, 2, N, D), _padding("before")
    keys, kv = torch.zeros(N, 2).long(), (part, part)
    with pytest.raises(ValueError, match="Pad behind the keys"):
        _pattern("listed(keys)").attention(part, part, part, key_padding=before, keys=keys)
    between, table = np.arange(N)[None] % 3 > 0, keys.numpy()
    with pytest.raises(InputError, match="Pad behind the keys"):
        _pattern("listed(keys)").mask(N, key_padding=between | (np.arange(N) == 0), keys=table)
    with pytest.raises(ValueError, match="write it in the pattern, as `heads 32`"):
        _pattern("causal with alibi").attention(part, part, part, heads=slice(0, 2))
    with pytest.raises(ValueError, match="write it in the pattern, as `heads 32`"):
        _pattern("causal with alibi").compile(heads=slice(2, 4))
    whole = _pattern("local(3)").compile(backends=["reference"])
    assert _pattern("local(3)").compile(backends=["reference"], heads=slice(2, 4)) == whole
    encoder = _pattern("full on encoder")
    with pytest.raises(ValueError, match="k and v are None"):
        encoder.attention(part, None, None, cache_lengths=[N] * B, encoder_kv=kv)


_SNIPPET = """
import torch
from patternc import Pattern
q = torch.zeros(1, 1, 1, 1)
out: torch.Tensor = Pattern("causal").attention(q, q, q, start=0, doc=q)
both: tuple[torch.Tensor, torch.Tensor] = Pattern("causal").attention(q, q, q, return_lse=True)
Pattern("causal").attention(q, q, q, retun_lse=True)
Pattern("causal").reference(q, q, q, scal=1.0)
Pattern("causal").mask(4, queres=2)
"""


def test_a_type_checker_finds_misspelled_arguments(tmp_path: Path) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(_SNIPPET)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(file)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    lines = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    assert lines == ["7", "8", "9"], done.stdout
