"""Builds the sdist and the wheel, and tries the wheel as a new user would: `make package`.

A fresh environment, outside of the checkout, with the dependencies that the wheel names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.test_packaging import files_of_the_wheel

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PROGRAM = "local(256) + global([0])"
SESSION = f"""
import torch
from patternc import Pattern
from patternc.nn import Attention
pattern = Pattern({PROGRAM!r})
q, k, v = torch.randn(3, 1, 2, 600, 32)
assert torch.allclose(pattern.attention(q, k, v), pattern.reference(q, k, v), atol=1e-5)
assert Attention(64, 2, pattern)(torch.randn(1, 100, 64))[0].shape == (1, 100, 64)
assert "<svg" in pattern.svg(600)
assert Pattern.from_zoo("bigbird").heads == 12
"""


def build() -> tuple[Path, Path]:
    """The sdist and the wheel made of it."""
    for old in DIST.glob("patternc-*"):
        old.unlink()
    subprocess.run([sys.executable, "-m", "build", "--outdir", DIST, ROOT], check=True)
    (sdist,), (wheel,) = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    return sdist, wheel


def check_files(sdist: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        inside = {name for name in held.namelist() if ".dist-info/" not in name}
    assert inside == files_of_the_wheel(), sorted(inside ^ files_of_the_wheel())
    with tarfile.open(sdist) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    assert {"README.md", "LICENSE", "pyproject.toml", "grammar/pattern.lark"} <= names


def try_wheel(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = _runner(Path(folder))
        run(sys.executable, "-m", "venv", "fresh")
        constraints = ROOT / "constraints.txt"
        run("fresh/bin/pip", "install", "--quiet", "--constraint", str(constraints), str(wheel))
        run("fresh/bin/patternc", "show", "-e", PROGRAM, "-n", "600")
        run("fresh/bin/patternc", "compile", "-e", PROGRAM, "--backend", "cpu", "-o", "kernel.py")
        run("fresh/bin/patternc", "selftest", "kernel.py")
        run("fresh/bin/python", "-c", SESSION)


def _runner(folder: Path) -> Callable[..., None]:
    """Runs commands there, with nothing of the checkout on Python's path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, env=environment, check=True)

    return run


if __name__ == "__main__":
    made = build()
    check_files(*made)
    try_wheel(made[1])
    print("the wheel works outside of the checkout")
