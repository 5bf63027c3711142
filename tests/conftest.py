"""What every test runs under: the Triton interpreter, one thread a process, the same examples."""

import os

# Read when a kernel is decorated, so before anything imports triton.
os.environ.setdefault("TRITON_INTERPRET", "1")
# Tests run in as many processes as there are cores; more threads would only disturb each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import importlib.util

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no defect.
SLOW = [HealthCheck.too_slow]
settings.register_profile("patternc", derandomize=True, deadline=None, suppress_health_check=SLOW)
settings.load_profile("patternc")

if importlib.util.find_spec("triton"):
    from tests.interpreter import quicken

    quicken()


def pytest_collection_finish() -> None:
    """What the imports have made stays: the collector need not look at it again, nor as often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def pytest_unconfigure() -> None:
    """What is never collected would be reported as leaked by the bindings of isl."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Modules and compiled C of all the processes of a run go to one folder that pytest clears.

    Hypothesis parses every imported file for constants to try, except below a folder `tests`. The
    generated modules would take it minutes, and make its examples depend on what ran before.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tests" / "cache"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PATTERNC_CACHE_DIR"] = str(folder)
