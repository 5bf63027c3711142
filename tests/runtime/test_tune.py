"""Tuning: the fastest shape wins, what fails is a result, and nothing is measured without a GPU."""

import pytest
import torch

from patternc import Pattern
from patternc.runtime.tune import on_gpu, tune

SHAPES = ((128, 64), (64, 64), (64, 32))


@pytest.fixture
def sources():
    pattern = Pattern.parse("local(8)")
    return {shape: pattern.compile(tiles=shape) for shape in SHAPES}


def test_the_fastest_shape_comes_first_and_failures_last(sources):
    def measure(module):
        if module.QUERY_TILE == 128:
            raise MemoryError("out of shared memory")
        return 1.0 if module.KEY_TILE == 32 else 2.0

    trials = tune(sources, measure)
    assert [(trial.query_tile, trial.key_tile) for trial in trials] == [
        (64, 32),
        (64, 64),
        (128, 64),
    ]
    assert [trial.milliseconds for trial in trials] == [1.0, 2.0, None]
    assert trials[-1].error == "MemoryError: out of shared memory"


def test_no_shape_that_runs_is_an_error(sources):
    def measure(module):
        raise MemoryError("out of shared memory")

    with pytest.raises(RuntimeError, match="no tile shape runs here: MemoryError: out of shared"):
        tune(sources, measure)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_nothing_is_measured():
    with pytest.raises(RuntimeError, match="torch finds none"):
        on_gpu(1024, 64, "bfloat16")
