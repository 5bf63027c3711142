from pathlib import Path
from types import ModuleType

import pytest

from patternc import Pattern
from tests.native.bench import Bench


@pytest.fixture(scope="session")
def module() -> ModuleType:
    return Pattern.parse("local(9)").module


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def quick(bench: Bench, library: bytes) -> Bench:
    """A bench whose compiler takes no time, and counts its runs."""
    (bench.folder / "made.so").write_bytes(library)
    text = (
        f"echo run >> {bench.folder}/runs\n"
        'while [ "$1" != -o ]; do shift; done\n'
        f'cp {bench.folder}/made.so "$2"'
    )
    bench.environment["PATTERNC_CC"] = bench.compiler(text)
    return bench


@pytest.fixture(scope="session")
def library(module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A true library, compiled once for these tests."""
    bench = Bench(tmp_path_factory.mktemp("library"))
    assert bench.call(module)[0] == "compiled"
    return bench.libraries()[0].read_bytes()
