"""`patternc from-mask`: a mask in a file to a program."""

import json

import numpy as np
import torch
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands


def run(*arguments: str):
    return CliRunner().invoke(commands, ["from-mask", *map(str, arguments)])


def test_a_program_is_printed_with_its_proof(tmp_path):
    np.save(tmp_path / "mask.npy", Pattern.parse("causal\nlocal(7)").mask(40))
    found = run(tmp_path / "mask.npy")
    assert found.exit_code == 0
    assert found.output.startswith("# proved: equal to the mask in all 1,600 pairs at n = 40\n")
    assert found.output.endswith("\ncausal\nlocal(7)\n")


def test_what_is_not_explained_exits_with_1_and_has_inputs(tmp_path):
    mask = torch.from_numpy(np.random.default_rng(0).random((20, 20)) < 0.3)
    torch.save(mask, tmp_path / "mask.pt")
    found = run(tmp_path / "mask.pt", "--inputs", tmp_path / "in.npz", "--output-format", "json")
    document = json.loads(found.output)
    assert found.exit_code == 1
    assert document["unexplained"] == int(mask.sum())
    with np.load(tmp_path / "in.npz", allow_pickle=False) as given:
        held = Pattern.parse(document["text"]).mask(20, **given)
    assert np.array_equal(held[0], mask.numpy())


def test_nothing_in_a_file_is_executed(tmp_path):
    np.save(tmp_path / "mask.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    torch.save(np.ones, tmp_path / "mask.pt")
    (tmp_path / "mask.txt").write_text("1 0")
    for name in ("mask.npy", "mask.pt", "mask.txt", "absent.npy"):
        found = run(tmp_path / name)
        assert found.exit_code == 1
        assert "cannot read" in found.output
