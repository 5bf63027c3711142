"""Run-time inputs in files: every format gives the same answer, and nothing else is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from patternc import Pattern
from patternc.cli.files import FileError
from patternc.cli.main import commands
from patternc.semantics.errors import InputError

LABELS = np.repeat(np.arange(4), 8)
BATCH = np.stack([LABELS, LABELS // 2])
TEXT = "causal & same(document)"


def ran(*arguments: str) -> str:
    """What is printed; errors that the process tells in a line are their text."""
    found = CliRunner().invoke(commands, list(arguments))
    told = isinstance(found.exception, FileError | InputError)
    return str(found.exception) if told else found.output


def show(file: Path | str, *more: str) -> str:
    return ran("show", "-e", TEXT, "--input", f"document={file}", *more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", LABELS)
    np.savez(tmp_path / "a.npz", document=LABELS, other=BATCH)
    (tmp_path / "a.json").write_text(json.dumps(LABELS.tolist()))
    (tmp_path / "a.csv").write_text("\n".join(map(str, LABELS)))
    (tmp_path / "a.txt").write_text(" ".join(map(str, LABELS)) + "  # a line\n")
    save_file({"x": LABELS}, tmp_path / "a.safetensors")
    np.savetxt(tmp_path / "batch.csv", BATCH, fmt="%d", delimiter=", ")
    return tmp_path


def test_every_format_holds_the_same_labels(folder: Path) -> None:
    pairs = Pattern(TEXT).pairs(32, document=LABELS)[0]
    told = {
        show(folder / f"a.{end}") for end in ("npy", "npz", "json", "csv", "txt", "safetensors")
    }
    (only,) = told
    assert f"pairs    {pairs} of 1,024" in only
    assert "n = 32, document as given" in only
    assert show(folder / "a.npz:other", "--batch-element", "0") == only


def test_one_element_of_a_batch_is_asked_for(folder: Path) -> None:
    assert "--batch-element 0" in show(folder / "batch.csv")
    second = Pattern(TEXT).pairs(32, document=BATCH)[1][0]
    assert f"pairs    {second} of 1,024" in show(folder / "batch.csv", "--batch-element", "1")
    assert "batch_element is 2" in show(folder / "batch.csv", "--batch-element", "2")
    file, of = f"document={folder / 'batch.csv'}", ("--batch-element", "1", "-e", TEXT, "-n", "32")
    assert f"{second} " in ran("report", *of, "--input", file)
    asked = "why", "--query", "9", "--key", "3", *of, "--input", file
    assert "query 9 attends to key 3" in ran(*asked)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("f.npy", np.ones(4), "it holds float64; expected integers or booleans"),
        ("o.npy", np.array([{}, 1], dtype=object), "pickles are not read"),
        ("n.csv", "document\n1\n", "line 1, entry 1: 'document' is no integer"),
        ("r.csv", "1, 2\n3\n", "line 2 has 1 integers, the first has 2"),
        ("e.csv", "\n", "it holds no integers"),
        ("j.json", "[1, 2", "it is no JSON"),
        ("k.json", "[[1], [2, 3]]", "its lists differ in length"),
        ("l.pt", "", "files end in .npy"),
        ("missing.npy", None, "cannot read"),
        ("a.npz:none", None, "it has no array 'none', but document, other; write FILE:ARRAY"),
    ],
)
def test_what_a_file_holds_instead_is_said(
    folder: Path, name: str, data: object, says: str
) -> None:
    if isinstance(data, str):
        (folder / name).write_text(data)
    elif data is not None:
        np.save(folder / name, data)
    told = show(folder / name)
    assert says in told
    assert "Traceback" not in told


def test_names_and_shapes_are_checked_as_in_python(folder: Path) -> None:
    assert "expected NAME=FILE" in ran("show", "-e", TEXT, "--input", "labels.npy")
    other = ran("show", "-e", TEXT, "--input", f"doc={folder / 'a.npy'}")
    assert "unknown run-time input 'doc'; this pattern takes: document" in other
    taken = ran("report", "-e", TEXT, "-n", "16", "--input", f"n={folder / 'a.npy'}")
    assert "n names no run-time input; it is an argument of the calls" in taken
    assert "document" in show(folder / "a.npy", "-n", "16")


def test_questions_about_one_of_a_batch_are_answered_for_it() -> None:
    pattern = Pattern(TEXT)
    for element, labels in enumerate(BATCH):
        given, alone = {"document": BATCH, "batch_element": element}, {"document": labels}
        one, other = pattern.layout(32, 8, **given), pattern.layout(32, 8, **alone)
        assert one.counts() == other.counts()
        assert pattern.unmet(32, **given) == pattern.unmet(32, **alone)
        left, right = pattern.why(32, 9, 3, **given), pattern.why(32, 9, 3, **alone)
        assert left.verdicts == right.verdicts
        assert pattern.report(32, **given).text() == pattern.report(32, **alone).text()
    with pytest.raises(InputError, match="say which: batch_element=0"):
        pattern.layout(32, 8, document=BATCH)
