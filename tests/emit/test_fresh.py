"""Patterns in a process of their own: compiled by torch before anything built their modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from patternc import Pattern

COMPILED = """
import torch
from patternc import Pattern

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.pattern = Pattern.parse("causal\\nlocal(4) + columns(kept)")

    def forward(self, q, kept):
        return self.pattern.attention(q, q, q, kept=kept)

model, q, kept = Model(), torch.randn(1, 2, 40, 8), torch.arange(40) == 3
torch._dynamo.config.error_on_recompile = True
compiled = torch.compile(model, fullgraph=FULLGRAPH, backend="eager")
found = compiled(q, kept)
assert model.pattern._modules._of_heads.modules
assert torch.equal(found, model(q, kept))
assert torch.equal(compiled(q + 1, kept), model(q + 1, kept))
print("frames", torch._dynamo.utils.counters["frames"]["total"])
"""


def _run(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path, check=False
    )


@pytest.mark.parametrize("fullgraph", [True, False])
def test_torch_compiles_a_pattern_that_nobody_has_built(fullgraph: bool, tmp_path: Path) -> None:
    """Not through its lock, and not through the compiler: one frame is traced, the model's."""
    root = Path(__file__).parents[2]
    text = f"import sys\nsys.path.insert(0, {str(root)!r})\n" + COMPILED
    done = _run(text.replace("FULLGRAPH", str(fullgraph)), tmp_path)
    assert done.returncode == 0, done.stderr
    word, frames = done.stdout.split()
    assert word == "frames"
    assert int(frames) <= 1


def test_a_saved_export_names_the_pattern_whose_module_it_needs(tmp_path: Path) -> None:
    source = tmp_path / "a window.pat"
    source.write_text("local(4)\n")
    pattern = Pattern.load(source)

    class Model(torch.nn.Module):
        def forward(self, q: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = pattern.attention(q, q, q)
            return out

    q = torch.randn(1, 2, 40, 8)
    program = torch.export.export(Model(), (q,))
    torch.export.save(program, tmp_path / "saved.pt2")
    load = "import torch; found = torch.export.load('saved.pt2').module()"
    alone = _run(load, tmp_path)
    assert alone.returncode != 0
    assert "torch.ops.patternc_a_window_" in alone.stderr
    root = Path(__file__).parents[2]
    built = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        f"from patternc import Pattern; Pattern.load('a window.pat').module\n{load}\n"
        "print(found(torch.ones(1, 2, 40, 8)).sum().item())"
    )
    # The name of a program is part of its module, so it is loaded by the same one.
    named = built.replace("'a window.pat'", repr(str(source)))
    done = _run(named, tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 640.0
