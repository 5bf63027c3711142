"""Kernel repositories: their layout, loading them in a fresh process, and that none is partial."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from patternc.cli.main import commands
from patternc.emit.hub import repository

TEXT = "causal\ncolumns([0:2]) + local(left=5)"
# As the loader does: a module named by the metadata's `id`, from a file outside of the path.
BY_HAND = """
import importlib.util, json, sys
folder = sys.argv[1] + "/build/torch-cpu"
name = json.load(open(folder + "/metadata.json"))["id"]
spec = importlib.util.spec_from_file_location(name, folder + "/__init__.py")
kernel = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernel)
"""
BY_KERNELS = """
import sys
from pathlib import Path
from kernels import get_local_kernel
kernel = get_local_kernel(Path(sys.argv[1]), backend="cpu")
"""
COMPARED = """
import torch
from patternc import Pattern
q = torch.randn(1, 2, 40, 16)
mine, own = kernel.attention(q, q, q), Pattern.parse(sys.argv[2]).attention(q, q, q)
torch.testing.assert_close(mine, own)
assert "patternc" not in kernel.__name__
"""


def run(*arguments):
    return CliRunner().invoke(commands, ["compile", "-e", TEXT, "--emit", "hub", *arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("hub") / "sinks-and-window"
    assert run("-o", str(path)).exit_code == 0
    return path


@pytest.mark.parametrize("load", [BY_HAND, BY_KERNELS], ids=["by hand", "kernels"])
def test_a_repository_loads_in_a_fresh_process_with_the_numbers_of_the_pattern(folder, load):
    if load == BY_KERNELS:
        pytest.importorskip("kernels", reason="kernels is not among the test dependencies")
    command = [sys.executable, "-c", load + COMPARED, str(folder), TEXT]
    quick = {**os.environ, "PATTERNC_CC": ""}  # without C code
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=quick)
    assert result.returncode == 0, result.stderr


def test_variants_say_their_device_and_share_no_module_name(folder):
    found = [json.loads(path.read_text()) for path in folder.glob("build/*/metadata.json")]
    assert {each["backend"]["type"] for each in found} == {"cuda", "rocm", "cpu"}
    assert len({each["id"] for each in found}) == len(found)
    assert {each["name"] for each in found} == {"sinks-and-window"}
    assert TEXT.splitlines()[1] in (folder / "README.md").read_text()
    assert (folder / "torch-ext" / "sinks_and_window" / "attention.py").exists()


def test_a_module_without_cpu_code_has_no_variant_for_it():
    made = repository("window", "", ["triton", "reference"], TEXT)
    assert {path.split("/")[1] for path in made if path.startswith("build/")} == {
        "torch-cuda",
        "torch-rocm",
    }


@pytest.mark.parametrize(
    ("name", "options", "code", "said"),
    [
        ("Kernel 1", (), 1, "cannot name a kernel"),
        ("window", ("--backend", "reference"), 1, "needs backend 'triton' or 'cpu'"),
        ("window", ("--backend", "flex"), 1, "needs backend 'triton' or 'cpu'"),
        ("window", ("--check",), 2, "--check compares one file"),
    ],
)
def test_what_makes_no_repository_leaves_nothing_behind(tmp_path, name, options, code, said):
    result = run("-o", str(tmp_path / name), *options)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_not_overwritten(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("mine")
    result = run("-o", str(tmp_path))
    assert result.exit_code != 0
    assert "no empty folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert "needs a folder" in run().stderr
