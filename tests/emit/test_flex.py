"""The file for torch's FlexAttention: masks, blocks and outputs against the pattern's meaning.

torch traces each call anew. Outputs and gradients are those of the last rows, with a key head that
query heads share; `make sweep` also takes all rows and a key head for each query head.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import typing
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch.nn.attention import flex_attention as torch_flex

from patternc import Pattern
from patternc.cli.main import commands as cli
from patternc.emit.backend import UnsupportedError
from patternc.runtime.load import load_module
from tests.emit.dense import Call, Case, converted, detached
from tests.emit.patterns import CASES, inputs_of, tensors
from tests.emit.test_generated_text import ruff
from tests.emit.test_scores import CASES as SCORES

TILES = (32, 16)
SIZES = [(150, 150), (128, 128), (40, 150)]
# Closed forms tell their blocks exactly; others exceed a budget, or ask tables.
EXACT = [
    *("full", "nothing", "causal", "band and tokens", "windows by head"),
    *("dilated by head and layer", "mix", "negative divisions"),
]


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """FlexAttention has a backward pass on the CPU, and refuses to run it."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(torch_flex, "_validate_device", lambda *_: None)
        torch.compiler.reset()
        yield


@cache
def source(text: str, tiles: tuple[int, int] | None = TILES) -> str:
    return Pattern.parse(text).compile(backends=["flex"], tiles=tiles)


@cache
def module_of(text: str) -> ModuleType:
    return load_module(source(text))


def layers_of(pattern: Pattern) -> list[int]:
    return sorted({0, (pattern.layers or 1) - 1})


def dense_blocks(counts: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Which blocks a pair of fields lists."""
    listed = torch.arange(indices.shape[-1]) < counts[..., None]
    found = torch.zeros(*indices.shape, dtype=torch.bool)
    return found.scatter_reduce(-1, indices.to(torch.int64), listed, "sum")


def blocks_of(mask: torch_flex.BlockMask) -> dict[str, torch.Tensor]:
    """Full and partial blocks, read by rows; by columns they must be the same."""
    found = {
        "full": (mask.full_kv_num_blocks, mask.full_kv_indices),
        "partial": (mask.kv_num_blocks, mask.kv_indices),
    }
    columns = {
        "full": (mask.full_q_num_blocks, mask.full_q_indices),
        "partial": (mask.q_num_blocks, mask.q_indices),
    }
    dense = {name: dense_blocks(*fields) for name, fields in found.items()}
    for name, fields in columns.items():
        assert torch.equal(dense_blocks(*fields).mT, dense[name])
    assert not (dense["full"] & dense["partial"]).any()
    return dense


def compared(
    module: ModuleType, n: int, queries: int, heads: int, size: tuple[int, int], **given: Any
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The blocks of the file, and those of torch from its mask_mod; what holds of all of them."""
    given = {"queries": queries, "heads": heads, **given}
    own = module.block_mask(n, BLOCK_SIZE=size, **given)
    mask_mod = module.make_mask_mod(n, **given)
    wanted = torch_flex.create_block_mask(mask_mod, 2, heads, queries, n, "cpu", size)
    assert own.seq_lengths == wanted.seq_lengths
    assert own.BLOCK_SIZE == wanted.BLOCK_SIZE
    assert own.kv_indices.dtype == wanted.kv_indices.dtype == torch.int32
    found, reference = blocks_of(own), blocks_of(wanted)
    everything = (found["full"] | found["partial"]).expand_as(reference["full"])
    assert torch.equal(own.to_dense().bool(), found["full"] | found["partial"])
    assert not ((reference["full"] | reference["partial"]) & ~everything).any()
    assert not (found["full"] & ~reference["full"]).any()
    return found, reference


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("queries", "n"), [*SIZES, (50, 33)])
def test_a_mask_mod_is_the_mask_of_the_pattern(name: str, queries: int, n: int) -> None:
    pattern = Pattern.parse(CASES[name].text)
    heads = pattern.heads or 2
    inputs = inputs_of(name, n, heads)
    module = module_of(CASES[name].text)
    for layer in layers_of(pattern):
        given = {"layer": layer, "queries": queries, **inputs}
        mask_mod = module.make_mask_mod(n, heads=heads, **given)
        found = torch_flex.create_mask(mask_mod, 2, heads, queries, n, "cpu")
        if queries <= n:
            arrays = {key: value.numpy() for key, value in inputs.items()}
            wanted = torch.from_numpy(np.asarray(pattern.mask(n, layer=layer, **arrays)))
            wanted = wanted[..., n - queries :, :]
        else:
            # Without a header `heads` it is about one head, or as many as lists have.
            wanted = pattern.module.mask(n, **given)
            found = found[:, : wanted.shape[-3]]
        assert torch.equal(found, wanted.expand_as(found))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("queries", "n"), SIZES)
def test_blocks_are_those_of_create_block_mask(name: str, queries: int, n: int) -> None:
    pattern = Pattern.parse(CASES[name].text)
    heads = pattern.heads or 2
    for layer in layers_of(pattern):
        given = {"layer": layer, **inputs_of(name, n, heads)}
        found, wanted = compared(module_of(CASES[name].text), n, queries, heads, TILES, **given)
        if name in EXACT and (n - queries) % TILES[0] == 0:
            for kind in ("full", "partial"):
                assert torch.equal(found[kind].expand_as(wanted[kind]), wanted[kind])


@pytest.mark.parametrize("size", [(32, 16), (64, 64), (96, 32), (48, 24), (300, 300)])
@pytest.mark.parametrize(("queries", "n"), [(150, 150), (64, 160), (41, 150), (1, 77)])
def test_blocks_of_other_sizes(size: tuple[int, int], queries: int, n: int) -> None:
    found, wanted = compared(module_of("local(40) + global([0])"), n, queries, 1, size)
    if size[0] % 32 == 0 and size[1] % 16 == 0 and (n - queries) % 32 == 0:
        for kind in ("full", "partial"):
            assert torch.equal(found[kind].expand_as(wanted[kind]), wanted[kind])


def test_no_mask_of_all_pairs_is_made() -> None:
    """A million tokens have 2^40 pairs."""
    module = load_module(Pattern.parse("local(256) + global([0])").compile(backends=["flex"]))
    mask = module.block_mask(1 << 20, BLOCK_SIZE=(2048, 2048))
    assert mask.shape == (1, 1, 1 << 20, 1 << 20)
    # The first row is global, and so is the first column; others see three blocks at most.
    assert mask.full_kv_num_blocks.sum() == 0
    assert mask.kv_num_blocks[0, 0, [0, 1, 100]].tolist() == [512, 3, 4]


@pytest.mark.parametrize("descending", [True, False])
def test_the_write_order_is_that_of_create_block_mask(descending: bool) -> None:
    module = module_of("causal & local(70) + global([0])")
    own = module.block_mask(150, write_order=descending)
    wanted = torch_flex.create_block_mask(
        module.make_mask_mod(150),
        *(1, 1, 150, 150, "cpu", TILES),
        compute_dq_write_order=True,
        dq_kv_order=descending,
    )
    names = [*torch_flex.BlockMask._TENSOR_ATTRS, *torch_flex.BlockMask._CONTEXT_ATTRS]
    fields = {name: getattr(own, name) for name in names if name != "mask_mod"}
    for name, value in fields.items():
        other = getattr(wanted, name)
        same = torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
        assert same, name


def test_a_torch_without_write_orders_is_told() -> None:
    module = load_module(source("causal") + "\n")
    module.BlockMask = lambda seq_lengths, kv_num_blocks: None
    with pytest.raises(ValueError, match=r"write_order: BlockMask of torch .* has none"):
        module.block_mask(100, write_order=True)


ATTENDED = {
    "causal": ("causal", {}),
    "windows by head": ("heads 2\nlocal(5 + 9 * head)", {}),
    "rows without keys": ("allow empty\nwhere(i % 7 != 3 and j <= i)", {}),
    "draws": ("heads 2\nblocks(16) { local(1) + random(2) }", {}),
    "documents": ("causal & same(doc)", {"doc": torch.arange(60) // 13}),
    "lists": ("blocks(16) { diagonal + listed(p) }", {"p": torch.tensor([[1], [-1], [3], [0]])}),
    "mix": ("causal\nheads 2\nmix(segment(16), segment(32, dilation=2, offset=head))", {}),
    "the same term twice": ("mix(local(9), local(9))", {}),
    "other scores by term": (
        "local(9) with alibi + global([0, 20]) with softcap(2) + columns([40])",
        {},
    ),
    "other scores by head": ("heads 2\nhead == 0 -> local(9) with alibi\nelse -> causal", {}),
    "sinks of one head": (
        "allow empty\nheads 2\nhead == 1 -> local(left=9, right=-1) with sink\nelse -> causal",
        {"sinks": torch.tensor([0.5, -1.0], dtype=torch.float64)},
    ),
    "numbers of tokens": (
        "local(left=20) with decay(kept) with softcap(3) + columns([0])",
        {"kept": torch.linspace(0, 9, 240, dtype=torch.float64).view(2, 2, 60)},
    ),
    "several modifiers": ("causal with alibi with softcap(3) with scale(0.4)", {}),
}
WRITTEN = [
    *("softcap", "scale", "alibi", "bias", "bias of batch", "soft span", "sink"),
    *("distance aware", "t5", "t5 of the past"),
]
SHAPES = [pytest.param(60, 60, 2, marks=pytest.mark.sweep), (23, 60, 1)]


def differentiated(attend: Any, call: dict[str, torch.Tensor], **options: Any) -> list[Any]:
    """Output, lse and the gradients of all floating tensors."""
    leaves = {name: detached(value) for name, value in call.items()}
    out, lse = attend(**leaves, return_lse=True, **options)
    total = out.square().sum() + lse.masked_fill(lse == -torch.inf, 0).sum()
    floating = [part for part in leaves.values() if part.requires_grad]
    found = torch.autograd.grad(total, floating, allow_unused=True)
    zeros = [torch.zeros_like(part) for part in floating]
    both = zip(found, zeros, strict=True)
    return [out, lse, *(zero if part is None else part for part, zero in both)]


def assert_agrees(text: str, call: dict[str, Any]) -> None:
    found = differentiated(module_of(text).attention, call)
    wanted = differentiated(Pattern.parse(text).reference, call)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ATTENDED)
@pytest.mark.parametrize(("queries", "n", "kv_heads"), SHAPES)
def test_outputs_and_gradients_are_those_of_the_reference(
    name: str, queries: int, n: int, kv_heads: int
) -> None:
    text, inputs = ATTENDED[name]
    q, k, v = tensors(2, queries, n, 16)
    assert_agrees(text, {"q": q, "k": k[:, :kv_heads], "v": v[:, :kv_heads], **inputs})


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(("queries", "n", "kv_heads"), SHAPES)
def test_score_modifiers_give_what_is_written_down(
    name: str, queries: int, n: int, kv_heads: int
) -> None:
    call = Call.of(queries, n, kv_heads)
    case: Case = SCORES[name](call)
    out = module_of(case.text).attention(call.q, call.k, call.v, **case.inputs)
    torch.testing.assert_close(out, case.out, rtol=1e-9, atol=1e-9)
    assert_agrees(case.text, {"q": call.q, "k": call.k, "v": call.v, **case.inputs})


def test_numbers_of_each_query_and_what_does_not_fit() -> None:
    text, call = "causal with dynamic_span(4, z=z)", tensors(2, 23, 60, 16)
    spans = torch.linspace(0, 30, 92, dtype=torch.float64).view(2, 2, 23)
    assert_agrees(text, {**dict(zip("qkv", call, strict=True)), "z": spans})
    with pytest.raises(ValueError, match=r"expected floats .*; here \[batch, 2, 23\]"):
        module_of(text).attention(*call, z=spans[..., :20])
    decayed = module_of(ATTENDED["numbers of tokens"][0])
    with pytest.raises(ValueError, match="3 more queries than tokens"):
        decayed.make_score_mod(20, heads=2, queries=23, kept=torch.zeros(2, 2, 20))


def test_rows_without_keys_give_0_and_minus_infinity() -> None:
    text, _ = ATTENDED["rows without keys"]
    out, lse = module_of(text).attention(*tensors(2, 60, 60, 16), return_lse=True)
    empty = torch.arange(60) % 7 == 3
    assert (out[:, :, empty] == 0).all()
    assert (lse[:, :, empty] == -torch.inf).all()
    assert lse[:, :, ~empty].isfinite().all()


def test_a_mask_may_be_made_before_the_call() -> None:
    module, call = module_of("causal & local(20)"), tensors(2, 23, 60, 16)
    mask = module.block_mask(60, queries=23)
    assert torch.equal(module.attention(*call, mask=mask), module.attention(*call))


ZOO = [
    *(
        "alibi",
        "bigbird",
        "block_diffusion",
        "da_transformer",
        "gemma2",
        "gpt_oss",
        "longformer_lm",
    ),
    *("longlora", "longnet", "packed_documents", "t5_decoder", "tree_decoding"),
    *("sparse_transformer_fixed_heads",),
]


def sample(pattern: Pattern, n: int, heads: int) -> dict[str, torch.Tensor]:
    """Inputs of a published pattern."""
    sizes = {"span": (heads,), "sink": (heads,), "distance": (heads,), "t5": (32, heads)}
    known = {"document": torch.arange(n) // 50, "ancestors": torch.full((n, 3), -1)}
    return {
        item.name: known.get(item.name, torch.rand(sizes.get(item.role, ())))
        for item in pattern.inputs
    }


@pytest.mark.parametrize("name", ZOO)
def test_published_patterns(name: str) -> None:
    pattern = Pattern.from_zoo(name)
    module = load_module(pattern.compile(backends=["flex"]))
    heads, n, layer = pattern.heads or 2, 200, (pattern.layers or 1) - 1
    inputs = sample(pattern, n, heads)
    call = converted(tensors(heads, n, n, 8), torch.float32)
    with torch.no_grad():
        out = module.attention(*call, layer=layer, **inputs)
        wanted = pattern.reference(*call, layer=layer, **inputs)
    torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-5)
    given = {"layer": layer, **{k: x for k, x in inputs.items() if not x.is_floating_point()}}
    compared(module, n, n, heads, (128, 128), **given)


UNSUPPORTED = {
    "memory": ("local(4) + full on memory(8)", "keys of `memory` are not among the n tokens"),
    "encoder": ("full on encoder", "keys of `encoder` are not among the n tokens"),
    "pool": ("full on pool(4, mean)", "keys of `pool` are not among the n tokens"),
    "streams": (
        "local(4) + full on stream(g, 3)\n\nrows g\nfull",
        "the rows of `g` are another sequence than the n tokens",
    ),
    "gate": ("gate(local(4), causal, name=g)", "`gate` joins several softmaxes"),
    "sum": ("sum(local(4), causal)", "`sum` joins several softmaxes"),
    "mean": ("mean(local(4), causal)", "`mean` joins several softmaxes"),
    "projection": ("local(4) + global([0], projection=g)", "`projection=g` has a q, k and v of"),
    "relative": ("local(4) with relative(4)", "`relative` adds products of the query"),
    "xl_relative": ("causal with xl_relative", "`xl_relative` adds products of the query"),
    "rotary": ("causal with rotary(10000)", "`rotary` turns q and k before their product"),
    "absolute": ("causal with absolute(p)", "`absolute` adds positions to q and k"),
    "scales": (
        "heads 2\nhead == 0 -> causal with scale(0.5)\nelse -> causal",
        "`scale` differs within a layer",
    ),
    "two scores of a pair": (
        "mix(local(4) with alibi, local(6))",
        "`mix` counts a pair with two different modifiers",
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_flex_cannot_hold_is_said(name: str) -> None:
    text, reason = UNSUPPORTED[name]
    with pytest.raises(UnsupportedError) as error:
        source(text)
    assert error.value.backend == "flex"
    assert any(each.startswith(reason) for each in error.value.reasons), error.value.reasons


def test_terms_that_share_no_pair_may_have_scores_of_their_own() -> None:
    assert "torch.where" in source("mix(local(4) with alibi, full - local(6))")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({}, TypeError, "the run-time input 'doc' is missing: labels"),
        ({"doc": [0, 1]}, TypeError, "doc: expected a tensor"),
        ({"doc": torch.zeros(7)}, ValueError, r"doc has shape \[7\]"),
        ({"document": torch.zeros(9)}, TypeError, "the run-time inputs here: doc"),
        ({"doc": torch.zeros(9), "heads": 3}, ValueError, "there are 3 heads; this pattern has 2"),
        ({"doc": torch.zeros(9), "layer": 4}, ValueError, "layer 4 is out of range"),
        ({"doc": torch.zeros(9), "queries": 0}, ValueError, "FlexAttention takes one or more"),
    ],
)
def test_calls_that_do_not_fit(arguments: dict[str, Any], error: Any, text: str) -> None:
    module = module_of("heads 2\nlayers 2\ncausal & same(doc)")
    with pytest.raises(error, match=text):
        module.block_mask(9, **arguments)


def test_a_grid_has_one_length() -> None:
    text = Pattern.from_zoo("natten_1d", length=52).compile(backends=["flex"])
    with pytest.raises(ValueError, match="n is 60; the grid of this pattern has 52 positions"):
        load_module(text).block_mask(60)


TEXTS = [case[0] for case in ATTENDED.values()] + [case.text for case in CASES.values()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flex")
    for number, text in enumerate(TEXTS):
        (folder / f"file_{number}.py").write_text(source(text), encoding="utf-8")
    return folder


def test_files_are_clean_under_ruff(folder: Path) -> None:
    rules = "E4,E7,E9,F,ARG"
    found = ruff("check", "--isolated", "--output-format=concise", f"--select={rules}", str(folder))
    assert found.strip() == "All checks passed!"
    written = ruff("format", "--isolated", "--line-length=100", "--diff", str(folder))
    assert written == ""


@pytest.mark.parametrize("text", TEXTS)
def test_types_can_be_evaluated_and_nothing_is_out_of_reach(text: str) -> None:
    module = module_of(text)
    for value in vars(module).values():
        if getattr(value, "__module__", None) == module.__name__ and callable(value):
            typing.get_type_hints(value)
    tree = ast.parse(source(text))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    named = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert {name for name in defined if name.startswith("_")} <= set(named)


def test_the_same_program_gives_the_same_text() -> None:
    compiled = "Pattern.from_zoo('bigbird').compile(backends=['flex'])"
    program = f"from patternc import Pattern; print({compiled})"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_the_command_writes_a_file_or_says_why_not(tmp_path: Path) -> None:
    run, file = CliRunner(), tmp_path / "flex.py"
    done = run.invoke(cli, ["compile", "-e", "causal", "--backend", "flex", "-o", str(file)])
    assert done.exit_code == 0
    assert "--backend=flex" in file.read_text()
    done = run.invoke(cli, ["selftest", str(file)])
    assert (done.exit_code, "was compiled for flex" in done.stderr) == (1, True)
    done = run.invoke(cli, ["compile", "-e", "full on encoder", "--backend", "flex"])
    assert done.exit_code == 1
    assert done.stderr == (
        "error: backend 'flex' cannot lower this\n"
        "  = note: keys of `encoder` are not among the n tokens\n"
    )
    done = run.invoke(cli, ["compile", "-e", "causal", "--backend", "flex", "--self-test"])
    assert (done.exit_code, "no self-test" in done.stderr) == (1, True)
    both = ["--backend", "flex", "--backend", "cpu"]
    assert run.invoke(cli, ["compile", "-e", "causal", *both]).exit_code == 2
