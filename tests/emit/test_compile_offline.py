"""Kernels compiled for GPUs that are not there: registers kept, tensor cores used.

Every distinct kernel of an eighth of the examples and of four more for sm_90, and of one of these
for the other targets, at head size 64. `make sweep` takes the other examples, and all through all
targets and head sizes.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from patternc import Pattern
from patternc.runtime.compile_offline import SHARED_MEMORY
from patternc.runtime.load import load_module

pytest.importorskip("triton")

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.pat"))
TARGETS = ("sm_80", "sm_90", "sm_100", "gfx942")
# Short enough that none of them is waited for at the end.
PARTS = 32  # part 0 is in every run
FOUR = ("bigbird", "sparse_transformer_fixed", "longformer", "sliding_window")
SCRIPT = """
import json, sys
from dataclasses import asdict
from patternc import Pattern
from patternc.runtime.load import load_module
from patternc.runtime.compile_offline import compile_offline
target, head_dims, *texts = sys.argv[1:]
for head_dim in map(int, head_dims.split(",")):
    known = set()
    for path in texts:
        pattern = Pattern.load(path) if path.endswith(".pat") else Pattern.parse(path)
        module = load_module(pattern.compile(dtype="bfloat16", head_dim=head_dim))
        for binary in compile_offline(module, target, "bfloat16", head_dim, known):
            print(json.dumps({"example": path, "head_dim": head_dim, **asdict(binary)}))
"""


def compiled(examples: Sequence[str], target: str, head_dims: str) -> list[dict[str, object]]:
    """What the distinct kernels of examples, or of patterns by their text, use.

    A process of its own: the interpreter, under which the other tests run, compiles nothing.
    """
    folder = ROOT / "examples"
    paths = [str(folder / f"{x}.pat") if x in EXAMPLES else x for x in examples]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, target, head_dims, *paths],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_plain(kind: object) -> bool:
    """Do kernels of this kind multiply no matrices?"""
    return str(kind).startswith(("delta", "collected"))


def verify(examples: Sequence[str], target: str, head_dims: str) -> None:
    binaries = compiled(examples, target, head_dims)
    assert binaries
    for binary in binaries:
        assert binary["shared_bytes"] <= SHARED_MEMORY[target], binary
        if not is_plain(binary["kind"]):
            assert binary["tensor_core"], binary
        if target == "sm_90":
            assert binary["tensor_core"] in ("HGMMA", ""), binary
            assert binary["spills"] == 0, binary
            # More waits than products: each product waits for the one before it.
            assert is_plain(binary["kind"]) or binary["waits"] <= binary["products"], binary


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.sweep) for part in range(1, PARTS))]
)
def test_kernels_for_sm_90_keep_to_registers_and_use_the_tensor_cores(part: int) -> None:
    examples = [*EXAMPLES[part::PARTS], *(FOUR if part == 0 else ())]
    verify(list(dict.fromkeys(examples)), "sm_90", "64")


@pytest.mark.parametrize(
    ("text", "head_dim"), [("local(256) + global([0])", "64"), ("visible(begin, end)", "128")]
)
def test_kernels_of_keys_that_are_short_of_registers_keep_to_them(text: str, head_dim: str) -> None:
    verify([text], "sm_90", head_dim)


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "sm_90"])
def test_an_example_compiles_for_every_target(target: str) -> None:
    verify(FOUR[:1], target, "64")


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("target", "head_dim"),
    [
        *((target, "64") for target in TARGETS if target != "sm_90"),
        *((target, "128") for target in TARGETS),
    ],
)
def test_four_examples_compile_for_every_target(target: str, head_dim: str) -> None:
    verify(FOUR, target, head_dim)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("head_dim", [64, 96, 128])
def test_no_warp_repeats_the_work_of_another(dtype: torch.dtype, head_dim: int) -> None:
    """Tensor cores give each warp 16 rows; fewer rows than that for all warps would be shared."""
    program = "local(256) with softcap(30)"  # a file that knows effort
    source = Pattern(program).compile(dtype=str(dtype).removeprefix("torch."), head_dim=64)
    module = load_module(source)
    for kind, effort in itertools.product(("forward", "d_queries", "d_keys"), range(4)):
        asked = {"dtype": dtype, "dim": head_dim, "value": head_dim}
        asked |= {"lookups": 0, "effort": effort, "shared_memory": SHARED_MEMORY["sm_90"]}
        sizes = module._launch_sizes(kind, **asked)
        held = sizes["BLOCK_N"] if kind == "d_keys" else sizes["BLOCK_M"]
        assert sizes["num_warps"] == 4 or held >= 16 * sizes["num_warps"], (kind, effort)
