"""What CONTRIBUTING says about adding something, carried out on a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOY = '''
"""A backend that computes with the dense reference."""

from patternc.emit.module import ModuleBackend

BACKEND = ModuleBackend("toy", ("dense",), '("cpu", "cuda")')
'''
TEMPLATE = '''
# ---- The toy backend -----------------------------------------------------------------------------


def _check_toy(_tensors):
    """It takes all tensors."""


def _toy_forward(*call):
    return _reference(*call)


def _toy_backward(d_out, d_lse, _out, _lse, _learned, q, k, v, scores, *rest):
    # Inside an operator torch records no graph; `vjp` does.
    _, pull = torch.func.vjp(lambda *parts: _reference(*parts, *rest), q, k, v, scores)
    return pull((d_out, d_lse))
'''
USE = """
import torch
from patternc import Pattern
from patternc.runtime.load import load_module

text = Pattern.parse("heads 2\\nlocal(3) + global([0]) with alibi").compile(backends=["toy"])
module = load_module(text)
assert module.BACKENDS == ("toy", "reference"), module.BACKENDS
assert "import triton" not in text
call = [torch.randn(1, 2, 20, 8, dtype=torch.float64, requires_grad=True) for _ in range(3)]
for backend in ("toy", "reference"):
    middle = module.attention(call[0][:, :, 4:9], *call[1:], start=4, backend=backend)
    torch.autograd.grad(middle.sum(), call)
    out, lse = module.attention(*call, backend=backend, return_lse=True)
    assert torch.allclose(middle, out[:, :, 4:9])
    found = [out, lse, *torch.autograd.grad((out.square().sum() + lse.sum()), call)]
    wanted = found if backend == "toy" else wanted
for one, other in zip(wanted, found, strict=True):
    torch.testing.assert_close(one, other)
print("agreed")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("patternc", "codegen", "grammar", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run_in(folder: Path, program: str) -> str:
    known = {**os.environ, "PYTHONPATH": str(folder), "PATTERNC_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=known, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_backend_is_a_folder_of_code_a_folder_of_templates_and_its_name(copy: Path) -> None:
    (copy / "patternc/emit/toy").mkdir()
    (copy / "patternc/emit/toy/__init__.py").touch()
    (copy / "patternc/emit/toy/backend.py").write_text(TOY)
    (copy / "codegen/toy").mkdir()
    (copy / "codegen/toy/dense.py.jinja").write_text(TEMPLATE)
    listing = copy / "patternc/emit/backends.py"
    text = listing.read_text()
    listing.write_text(text.replace('"cpu", "reference")', '"cpu", "reference", "toy")'))
    assert "agreed" in run_in(copy, USE)


RELATION_EDITS = {
    "patternc/language/syntax/builtins.py": (
        '    Builtin("strided", "relation",',
        '    Builtin("congruent", "relation", (must("s", "count", 1), must("r", "count", 0))),\n'
        '    Builtin("strided", "relation",',
    ),
    "patternc/ir/terms.py": (
        "\n\n@frozen\nclass Segment:",
        "\n\n@frozen\nclass Congruent:\n"
        '    """i - j leaves `remainder` when divided by `stride`."""\n\n'
        "    stride: int\n    remainder: int\n"
        "\n\n@frozen\nclass Segment:",
    ),
    "patternc/language/elaborate/relations.py": (
        '    "strided": lambda',
        '    "congruent": lambda given, _: terms.Congruent(\n'
        '        given.count("s", 1), given.count("r", 0)\n'
        "    ),\n"
        '    "strided": lambda',
    ),
    "patternc/semantics/relations.py": (
        "        case Strided(stride):\n",
        "        case Congruent(stride, remainder):\n"
        "            return np.asarray((i - j) % stride == remainder)\n"
        "        case Strided(stride):\n",
    ),
    "patternc/relation/lower.py": (
        "        case Strided(stride):\n",
        "        case Congruent(stride, remainder):\n"
        "            distance = subtract(scope.row, scope.key)\n"
        "            found = modulo(distance, Constant(stride))\n"
        '            return compare(found, "==", Constant(remainder))\n'
        "        case Strided(stride):\n",
    ),
}
USE_RELATION = """
import numpy as np, torch
from patternc import Pattern
from patternc.runtime.load import load_module

pattern = Pattern.parse("congruent(5, 2) & causal + local(1)")
n = 61
i, j = np.indices((n, n))
mask = ((i - j) % 5 == 2) & (j <= i) | (abs(i - j) <= 1)
assert (pattern.mask(n)[0] == mask).all()
assert pattern.pairs(n) == [mask.sum()]
module = load_module(pattern.compile(backends=["all"]))
assert (module.mask(n)[0].numpy() == mask).all()
call = [torch.randn(1, 1, n, 8) for _ in range(3)]
wanted = torch.nn.functional.scaled_dot_product_attention(*call, attn_mask=torch.tensor(mask))
for backend in ("cpu", "reference"):
    torch.testing.assert_close(module.attention(*call, backend=backend), wanted)
print("agreed")
"""


def test_a_relation_is_its_word_its_node_its_meaning_and_its_predicate(copy: Path) -> None:
    for file, (place, text) in RELATION_EDITS.items():
        path = copy / file
        before = path.read_text()
        assert before.count(place) == 1, file
        after = before.replace(place, text).replace(
            "    | Strided\n", "    | Strided\n    | Congruent\n"
        )
        after = after.replace(" | Strided | ", " | Strided | Congruent | ")
        after = after.replace("    Strided,\n", "    Congruent,\n    Strided,\n", 1)
        path.write_text(after)
    assert "agreed" in run_in(copy, USE_RELATION)


FADE = '''
"""`fade(span)`: scores that fade with the distance, from a learned one of each head on."""

from __future__ import annotations

from typing import ClassVar

from patternc.frozen import frozen
from patternc.ir.modifiers import ScoreModifier, ScoreTable
from patternc.ir.score_expressions import DISTANCE, SCORE, Node, OfHead, absolute, sigmoid
from patternc.ir.builtin_words import must
from patternc.modifiers.definition import definition


@frozen
class Fade(ScoreModifier):
    """s * sigmoid((start_h - |i - j|) / span), `fade_start` [heads]."""

    span: float
    word: ClassVar[str] = "fade"

    @property
    def value(self) -> Node:
        return SCORE * sigmoid((OfHead("start") - absolute(DISTANCE)) / self.span)

    @property
    def table(self) -> ScoreTable:
        return ScoreTable("head", ("fade_start",))


FADE = definition(
    Fade,
    lambda given, _: Fade(given.positive("span")),
    must("span", "decimal"),
    inputs=(("fade_start", "distance"),),
)
'''
MODIFIER_EDITS = {
    "patternc/modifiers/__init__.py": (
        ("MODIFIERS = (\n", "MODIFIERS = (\n    FADE,\n"),
        ("\n# In the order", "from patternc.modifiers.fade import FADE\n\n# In the order"),
    ),
    "grammar/README.md": (
        (
            "| `softcap(c)` |",
            "| `fade(span)` | s sigmoid((start - \\|i - j\\|) / span) |\n| `softcap(c)` |",
        ),
    ),
}
USE_MODIFIER = """
import warnings
import torch
from patternc import Pattern
from patternc.language.syntax.diagnostics import PatternError
from patternc.runtime.load import load_module
from torch.nn.attention import flex_attention as torch_flex

warnings.simplefilter("ignore")
torch_flex._validate_device = lambda *_: None  # its gradients on the CPU are there, and refused
pattern = Pattern.parse("causal\\nheads 2\\nlocal(9) with softcap(20) with fade(4)")
n = 40
torch.manual_seed(0)
call = [torch.randn(1, 2, n, 16, requires_grad=True) for _ in range(3)]
start = torch.tensor([2.0, 7.0], requires_grad=True)
distance = torch.arange(n) - torch.arange(n)[:, None]
scores = call[0] @ call[1].mT / 4
scores = scores * ((start[:, None, None] - distance.abs()) / 4).sigmoid()
scores = 20 * (scores / 20).tanh()
hidden = (distance > 0) | (distance < -9)
wanted = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ call[2]
parts = [*call, start]
gradients = torch.autograd.grad(wanted.square().sum(), parts)

module = load_module(pattern.compile(backends=["all"]))
flex = load_module(pattern.compile(backends=["flex"]))
runs = {
    name: lambda name=name: module.attention(*call, fade_start=start, backend=name)
    for name in ("cpu", "reference", "triton")
}
runs["flex"] = lambda: flex.attention(*call, fade_start=start)
for name, run in runs.items():
    out = run()
    torch.testing.assert_close(out, wanted, atol=1e-4, rtol=1e-4, msg=name)
    found = torch.autograd.grad(out.square().sum(), parts)
    for one, other in zip(found, gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4, msg=name)
try:
    Pattern.parse("(local(9) + full on persistent(4)) with fade(4)")
except PatternError as error:
    assert [each.code for each in error.diagnostics] == ["P078"]
else:
    raise AssertionError("`persistent` has no distances")
print("agreed")
"""


def test_a_score_modifier_is_its_file_its_place_in_the_order_and_its_row(copy: Path) -> None:
    (copy / "patternc/modifiers/fade.py").write_text(FADE)
    for file, edits in MODIFIER_EDITS.items():
        text = (copy / file).read_text()
        for place, written in edits:
            assert text.count(place) == 1, file
            text = text.replace(place, written)
        (copy / file).write_text(text)
    assert "agreed" in run_in(copy, USE_MODIFIER)
