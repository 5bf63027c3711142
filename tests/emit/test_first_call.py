"""What takes long at a first call says so: Triton kernels, and the module of a pattern."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
import torch

from patternc import Pattern, progress
from patternc.runtime import pattern_modules


class Kernel:
    """A kernel that takes as long as its first message needs to come, but no more than a minute."""

    def __init__(self, found: list[logging.LogRecord], waits: bool) -> None:
        self.found, self.waits, self.runs = found, waits, 0

    def __getitem__(self, grid: Any) -> Any:
        return self.run

    def run(self, *_: Any, **__: Any) -> None:
        self.runs += 1
        end = time.monotonic() + 60
        while self.waits and not self.found and time.monotonic() < end:
            time.sleep(0.001)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Pattern.parse("local(3)").module
    monkeypatch.setattr(made, "_INTERPRETED", False)
    monkeypatch.setattr(made, "_LAUNCHED", set())
    made._told.clear()
    return made


def test_a_kernel_that_compiles_for_long_is_told_of_once(
    module: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.001)
    kernels = [Kernel(caplog.records, True) for _ in range(3)]
    for kernel in (*kernels, *kernels):
        module._launch(kernel, 1, [torch.zeros(1)], {"DIM": 8})
    assert [kernel.runs for kernel in kernels] == [2, 2, 2]
    assert [record.message for record in caplog.records] == [
        "patternc: compiling Triton kernels, once for each dtype and head size"
    ]


def test_a_kernel_that_is_compiled_or_quick_is_not_told_of(
    module: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[object] = []
    timer = module.threading.Timer
    monkeypatch.setattr(
        module.threading, "Timer", lambda *call: started.append(call) or timer(*call)
    )
    kernel = Kernel(caplog.records, False)
    for _ in range(3):
        module._launch(kernel, 1, [torch.zeros(1)], {"DIM": 8})
    assert len(started) == 1
    module._launch(kernel, 1, [torch.zeros(1)], {"DIM": 16})
    assert len(started) == 2
    assert not caplog.records


def test_the_module_of_a_pattern_is_built_under_the_line_of_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []

    def working(label: str) -> Any:
        told.append(label)
        return progress.working(label)

    monkeypatch.setattr(pattern_modules, "working", working)
    made, q = Pattern.parse("local(3)"), torch.randn(1, 1, 4, 8)
    for _ in range(2):
        made.attention(q, q, q)
    assert told == ["compiling <pattern>"]
