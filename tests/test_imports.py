"""Rooms import from the rooms above them in CONTRIBUTING's table, and no modules form a circle."""

import ast
import re
from functools import cache
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
# The first column names folders and files, in the order in which they may import.
ROOMS = [
    room
    for line in TABLE
    if line.startswith("| `")
    for room in re.findall(r"`(patternc/[\w/.]*)`", line.split("|")[1])
]
FILES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "patternc").rglob("*.py")}


def room_of(file: str) -> str:
    return max((room for room in ROOMS if file.startswith(room)), key=len)


def file_of(module: str) -> str | None:
    path = module.replace(".", "/")
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in FILES), None)


@cache
def imports() -> nx.DiGraph:
    """Files to the files that they import, anywhere in them and for types only as well."""
    graph = nx.DiGraph()
    graph.add_nodes_from(FILES)
    for file in FILES:
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            match node:
                case ast.ImportFrom(module=str(module), names=names):
                    found = [file_of(f"{module}.{x.name}") or file_of(module) for x in names]
                case ast.Import(names=names):
                    found = [file_of(x.name) for x in names]
                case _:
                    continue
            graph.add_edges_from((file, other) for other in found if other)
    return graph


def test_every_file_is_in_a_room_of_the_table_and_every_room_has_files():
    assert {room_of(file) for file in FILES} == set(ROOMS)


def test_no_modules_import_each_other_in_a_circle():
    assert [sorted(c) for c in nx.strongly_connected_components(imports()) if len(c) > 1] == []


def test_no_import_runs_against_the_order_of_the_rooms():
    against = [
        f"{file} imports {other}"
        for file, other in sorted(imports().edges)
        if ROOMS.index(room_of(other)) > ROOMS.index(room_of(file))
    ]
    assert against == []


def test_imports_are_relative_to_the_package_nowhere():
    """`from . import x` would be missed above."""
    for file in FILES:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level], file


READERS = {"patternc/runtime/generated.py", "patternc/runtime/kernel_launches.py"}


def test_two_files_alone_know_names_inside_of_generated_text():
    found = {
        file
        for file in FILES
        if file.startswith("patternc/")
        and re.search(r"\bmodule\._[a-zA-Z]", (ROOT / file).read_text(encoding="utf-8"))
    }
    assert found == READERS
