"""Tuning: the tile shape that is fastest on the present GPU.

Maps a module's text for each shape to times, the fastest first. A default shape needs none of this;
tuning finds what the cost model cannot know. Does not choose the shapes to try.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from types import ModuleType
from typing import TYPE_CHECKING, Any

from patternc.runtime.load import load_module
from patternc.runtime.selftest import with_self_test

if TYPE_CHECKING:
    import torch

Shape = tuple[int, int]
WARM_UP, CALLS = 3, 15


@dataclass(frozen=True, slots=True)
class Trial:
    """Milliseconds of one call with query tiles and key tiles of these sizes, or why none ran."""

    query_tile: int
    key_tile: int
    milliseconds: float | None
    error: str | None = None

    @property
    def record(self) -> dict[str, Any]:
        return asdict(self)


def tune(sources: Mapping[Shape, str], measure: Callable[[ModuleType], float]) -> tuple[Trial, ...]:
    """The trials of all shapes, the fastest first. Raises `RuntimeError` where none runs."""
    trials = [_trial(shape, source, measure) for shape, source in sources.items()]
    if all(trial.milliseconds is None for trial in trials):
        raise RuntimeError(f"no tile shape runs here: {trials[0].error}")
    return tuple(sorted(trials, key=lambda trial: trial.milliseconds or float("inf")))


def _trial(shape: Shape, source: str, measure: Callable[[ModuleType], float]) -> Trial:
    try:
        return Trial(*shape, round(measure(load_module(source)), 4))
    except Exception as error:
        # What a device cannot hold ends in errors of many types, all of them a result.
        return Trial(*shape, None, f"{type(error).__name__}: {error}")


def on_gpu(n: int, head_dim: int, dtype: str) -> Callable[[ModuleType], float]:
    """Measures forward and backward of n queries and keys. Raises `RuntimeError` without a GPU."""
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("tuning needs a GPU, and torch finds none")

    def measure(module: ModuleType) -> float:
        q, k, v, inputs = with_self_test(module)._sample_call(n, n, head_dim)
        placed = [_placed(part, dtype) for part in (q, k, v)]
        given = {name: _placed(value, dtype) for name, value in inputs.items()}
        return _milliseconds(lambda: _forward_and_backward(module, placed, given))

    return measure


def _placed(value: Any, dtype: str) -> Any:
    """A tensor on the GPU (tuples part by part), numbers of the data type and with gradient."""
    import torch

    if not isinstance(value, torch.Tensor):
        return tuple(_placed(part, dtype) for part in value) if value is not None else None
    if not value.dtype.is_floating_point:
        return value.cuda()
    return value.to("cuda", getattr(torch, dtype)).requires_grad_()


def _forward_and_backward(module: ModuleType, tensors: list[torch.Tensor], given: Any) -> None:
    out = module.attention(*tensors, backend="triton", **given)
    out.sum().backward()


def _milliseconds(call: Callable[[], None]) -> float:
    import torch

    for _ in range(WARM_UP):
        call()
    found = []
    for _ in range(CALLS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        found.append(begin.elapsed_time(end))
    return float(median(found))
