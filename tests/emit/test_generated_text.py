"""What people find in a generated file: only what the pattern needs, clean under ruff."""

from __future__ import annotations

import ast
import subprocess
import sys
import typing
from functools import cache
from pathlib import Path

import pytest

from patternc import Pattern
from patternc.emit.link import linked
from patternc.runtime.load import load_module

PROGRAMS = {
    "causal": "causal",
    "window and global": "local(256) + global([0])",
    "documents": "causal & same(doc)",
    "lists": "blocks(16) { listed(neighbours) + diagonal }",
    "draws": "heads 2\nlocal(3) + random(5, seed=1)",
    "scores": "causal with alibi with softcap(30)",
    "learned tables": "full with t5(32, 128, name=table)",
    "sources": "full on memory(64) + local(8) + full on pool(16, mean)",
    "combined": "gate(local(8), full on pool(16, mean), name=g)",
    "classes": "local(8, dilation=4)",
    "features": "causal\nsum(features(8, map=rfa, matrix=w, gate=g), local(3))",
    "zoo: bigbird": "bigbird",
    "zoo: etc": "etc",
}
BACKENDS = (("triton",), ("cpu",), ("all",), ("reference",))
# Files with long lists of classes, searches and lists by hashes: the lines of few others.
EXAMPLES = ("image_transformer_2d", "nsa", "reformer")
PLAIN = ("axial", "qwen_vision")  # several softmaxes, classes, lengths of layers: without the CPU


@cache
def source(name: str, backends: tuple[str, ...]) -> str:
    text = PROGRAMS[name]
    pattern = Pattern.from_zoo(text) if name.startswith("zoo") else Pattern.parse(text)
    every = backends == ("all",)
    features = ("all",) if every else ()
    return pattern.compile(backends=backends, native=every, self_test=True, features=features)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for every program and choice of backends."""
    folder = tmp_path_factory.mktemp("generated")
    for name in PROGRAMS:
        for backends in BACKENDS:
            file = f"{name}_{'_'.join(backends)}".replace(" ", "_").replace(":", "")
            (folder / f"{file}.py").write_text(source(name, backends), encoding="utf-8")
    for name in EXAMPLES:
        text = Pattern.from_zoo(name).compile(backends=("triton", "cpu"))
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    for name in PLAIN:
        (folder / f"{name}.py").write_text(Pattern.from_zoo(name).compile(), encoding="utf-8")
    return folder


def ruff(*arguments: str) -> str:
    words = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def test_files_are_clean_under_ruff_check(folder: Path) -> None:
    rules = "E4,E7,E9,F,ARG"
    found = ruff("check", "--isolated", "--output-format=concise", f"--select={rules}", str(folder))
    assert found.strip() == "All checks passed!"


def test_files_are_as_ruff_format_would_write_them(folder: Path) -> None:
    assert "would" not in ruff("format", "--isolated", "--line-length=100", "--check", str(folder))


@pytest.mark.parametrize("name", PROGRAMS)
def test_types_of_every_function_can_be_evaluated(name: str) -> None:
    module = load_module(source(name, ("all",)))
    for value in vars(module).values():
        if getattr(value, "__module__", None) == module.__name__ and callable(value):
            typing.get_type_hints(getattr(value, "fn", value))


@pytest.mark.parametrize("backends", BACKENDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_definition_is_out_of_reach(name: str, backends: tuple[str, ...]) -> None:
    """Of `attention`, `mask`, `reference`, the operators and the self-test."""
    tree = ast.parse(source(name, backends))
    bodies: dict[str, set[str]] = {}
    starts: set[str] = set()
    for node in tree.body:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bodies[node.name] = names
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                bodies |= {
                    part.id: names for part in ast.walk(target) if isinstance(part, ast.Name)
                }
        elif isinstance(node, ast.If):
            starts |= names
    starts |= {name for name in bodies if not name.startswith("_")}
    reached, waiting = set(), list(starts)
    while waiting:
        if (word := waiting.pop()) not in reached:
            reached.add(word)
            waiting += bodies.get(word, set())
    assert bodies.keys() - reached == set()
    assert not {name for name in reached if name not in bodies} & {"_Classes", "_Corner", "_native"}


def test_the_name_of_an_input_changes_nothing_else() -> None:
    """Once "split_" in a name brought in the code that splits long rows."""
    for pattern in ("causal & same({})", "full with bias({})", "columns({})"):
        one, other = (Pattern.parse(pattern.format(x)).compile() for x in ("doc", "split_doc"))
        assert [line for line in one.splitlines() if "doc" not in line][5:] == [
            line for line in other.splitlines() if "doc" not in line and "patternc_" not in line
        ][5:] or one.count("\n") == other.count("\n")


def test_a_file_holds_the_chosen_backends_alone() -> None:
    plain = Pattern.parse("causal").compile()
    assert "import triton" in plain
    assert "_cpu_forward" not in plain
    assert "_self_test" not in plain
    assert "import subprocess" not in Pattern.parse("causal").compile(backends=["cpu"])
    assert "triton" not in Pattern.parse("causal").compile(backends=["reference"]).split('"""')[2]


@pytest.mark.parametrize("names", [["cuda"], ["triton", "tritn"]])
def test_an_unknown_backend_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="expected one of triton, cpu, reference"):
        Pattern.parse("causal").compile(backends=names)


def test_linking_keeps_what_is_reached_and_nothing_else() -> None:
    text = """
import math
import os

# ---- One ----


# Says why.
def used():
    return math.pi


def _dropped():
    return os.name


# ---- Two ----

_KEPT, _GONE = 1, 2
_NEVER = {name: 1 for name in "ab"}


def _helper(x: _Kind):
    return f"{_KEPT} {x}" + "_dropped"


class _Kind:
    pass


def public():
    return _helper(used())
"""
    found = linked(text)
    assert all(name in found for name in ("math", "used", "_helper", "_Kind", "public", "_KEPT"))
    assert "import os" not in found
    assert "_NEVER" not in found
    assert "def _dropped" not in found
    assert "# Says why.\ndef used" in found
    assert linked(found) == found


@pytest.mark.parametrize("name", PROGRAMS)
def test_passes_and_groups_have_the_fields_that_a_file_reads(name: str) -> None:
    """Fields that no pass of a file declares are left out, and so is the code that reads them."""
    for backends in BACKENDS:
        tree = ast.parse(source(name, backends))
        classes = {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}
        for variable, kind in (("launch", "_Pass"), ("group", "_Group")):
            read = {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == variable
            }
            known = {
                item.target.id if isinstance(item, ast.AnnAssign) else getattr(item, "name", "")
                for item in classes[kind].body
                if not isinstance(item, ast.AnnAssign) or isinstance(item.target, ast.Name)
            }
            assert read <= known | {"_replace"}, (variable, read - known)


@pytest.mark.parametrize(("text", "told"), [("causal & listed(p)", False), ("same(doc)", True)])
def test_files_ask_tables_about_whole_tiles_only_where_these_can_tell(
    text: str, told: bool
) -> None:
    source = Pattern(text).compile()
    assert ("class _Verdict" in source, "held=_allowed" in source) == (told, told)
