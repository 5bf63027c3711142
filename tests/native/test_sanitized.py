"""The C text under sanitizers: nothing outside its arrays, no undefined behavior, no data race.

Short here; `make sanitize` runs 10,000 rectangles for each kind of processor.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.native.harness import Harness, build
from tests.native.rectangles import BFLOAT16, FLOAT16, drawn
from tests.native.solved import solve

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
CHECKS = "address,undefined"
# What the C text is compiled for: this processor; vectors of 8 and of 16 floats; products of pairs
# of bfloat16, of which the harness does what the processor may lack.
PROCESSORS = {
    "this": [],
    "short vectors": ["-mno-avx512f"],
    "long vectors": ["-mavx512f", "-mno-avx512bf16"],
    "pairs": ["-mavx512f", "-DEMULATED"],
}


def runs_here(processor: str) -> bool:
    if platform.machine() != "x86_64":
        return processor == "this"
    needed = "avx512f" if "-mavx512f" in PROCESSORS[processor] else ""
    return needed in Path("/proc/cpuinfo").read_text()


def check(harness: Harness, seed: int, far: int = 0) -> None:
    problem = drawn(seed, far)
    found = harness.run(problem)
    if not problem.finite:
        return
    solve(problem)
    for name, value in found.items():
        wanted, kind = problem.wanted[name], problem.kind_of(name)
        bound = 2e-2 if problem.kind == BFLOAT16 else 1e-3 if kind == FLOAT16 else 1e-4
        scale = bound * (1 + float(np.abs(wanted[np.isfinite(wanted)]).max(initial=0)))
        np.testing.assert_allclose(value, wanted, bound, scale, err_msg=f"{name} of {seed}")


def check_all(program: Path, module: ModuleType, seeds: range, far: int = 0) -> None:
    with Harness(program, module) as running:
        for seed in seeds:
            check(running, seed, far)


@pytest.fixture(scope="session")
def checked(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(module, tmp_path_factory.mktemp("checked"), CHECKS)


def test_rectangles_are_what_numpy_finds_and_touch_nothing_else(
    checked: Path, module: ModuleType
) -> None:
    check_all(checked, module, range(300))


def test_positions_more_than_int32_elements_apart(checked: Path, module: ModuleType) -> None:
    check_all(checked, module, range(20), far=(1 << 31) + 1)


def test_threads_do_not_race(module: ModuleType, tmp_path: Path) -> None:
    check_all(build(module, tmp_path, "thread"), module, range(60))


@pytest.mark.sweep
@pytest.mark.parametrize("processor", [*filter(runs_here, PROCESSORS)])
def test_ten_thousand_rectangles(processor: str, module: ModuleType, tmp_path: Path) -> None:
    program = build(module, tmp_path, CHECKS, *PROCESSORS[processor])
    check_all(program, module, range(10_000))


@pytest.mark.sweep
def test_threads_do_not_race_in_a_thousand_rectangles(module: ModuleType, tmp_path: Path) -> None:
    check_all(build(module, tmp_path, "thread"), module, range(1_000))
