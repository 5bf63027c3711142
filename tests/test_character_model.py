"""The character model of `examples/character_model`: its programs, and that it learns as dense."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import torch

from patternc import Pattern

FOLDER = Path(__file__).parents[1] / "examples" / "character_model"


@cache
def model_of_the_example() -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return import_module("model")
    finally:
        sys.path.remove(str(FOLDER))


def test_two_steps_with_the_dense_program_are_those_of_torch_alone(monkeypatch):
    monkeypatch.setenv("PATTERNC_CC", "")
    example = model_of_the_example()
    characters = example.encode("def f(x):\n    Return what x is.\n" * 4)[None]
    losses = {}
    for pattern in (Pattern.load(FOLDER / "dense.pat"), None):
        torch.manual_seed(0)
        model = example.Model(pattern, width=16, heads=2)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for _ in range(2):
            optimizer.zero_grad()
            model.loss(characters).backward()
            optimizer.step()
        losses[pattern is None] = model.loss(characters).item()
    assert abs(losses[True] - losses[False]) < 1e-4
    assert losses[True] < 5


def test_the_windows_of_the_example_write_with_a_cache_what_they_see_whole(monkeypatch):
    monkeypatch.setenv("PATTERNC_CC", "")
    example = model_of_the_example()
    torch.manual_seed(0)
    model = example.Model(Pattern.load(FOLDER / "windows.pat"), width=16, heads=2).eval()
    written = model.write("Return ", 3, temperature=1e-6)
    logits = model(example.encode(written)[None])[0]
    assert [example.CHARACTERS[int(i)] for i in logits.argmax(-1)[-4:-1]] == list(written[-3:])


@pytest.mark.sweep
def test_the_text_of_the_example_ships_with_python():
    numbers = model_of_the_example().encode(model_of_the_example().text())
    assert len(numbers) > 500_000
    assert numbers.max() < len(model_of_the_example().CHARACTERS)


def test_the_page_has_the_numbers_that_were_measured():
    page = (FOLDER.parents[1] / "docs" / "character-model.md").read_text(encoding="utf-8")
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))["results"]
    for one in results:
        row = next(row for row in page.splitlines() if row.startswith(f"| {one['model']} |"))
        assert f"{one['tokens_per_second']:,}" in row
        assert f"{one['memory'] / 1e6:.0f} MB" in row
        assert f"{one['pairs_per_query']:,}" in row
    for one in results[:2]:
        assert f"| {one['losses'][-1]:.2f} | {one['seconds'][-1]:.0f} s |" in page


def _notebook() -> list[str]:
    cells = json.loads((FOLDER / "character_model.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_the_notebook_is_python_and_holds_no_outputs():
    for cell in _notebook():
        compile(cell, "character_model.ipynb", "exec")
    assert '"outputs": []' in (FOLDER / "character_model.ipynb").read_text(encoding="utf-8")


@pytest.mark.sweep
def test_the_notebook_runs(monkeypatch):
    monkeypatch.chdir(FOLDER)
    monkeypatch.syspath_prepend(str(FOLDER))
    names: dict[str, object] = {}
    for cell in _notebook():
        exec(cell.replace("STEPS, N = 100, 2048", "STEPS, N = 2, 256"), names)
    losses = {name: one[1] for name, one in names["models"].items()}
    assert set(losses) == {"windows", "dense"}
    assert all(len(one) == 2 for one in losses.values())
