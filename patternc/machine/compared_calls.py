"""Times of one layer's attention on this device, beside torch's own ways to compute the same.

A contender is a call; calls take turns, and medians are of the turns, without the first call of
each, which compiles. Before that all results are compared: what computes something else is not
timed. Does not print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from patternc.bridges.layer_masks import FormatError, verify_mask
from patternc.emit.backend import UnsupportedError
from patternc.frozen import frozen
from patternc.pattern import Pattern

Parts = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Call = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
_FEWEST = 3
_MOST = 200
# A mask of booleans, and the scores of eager attention on a CPU.
_MASK_BYTES = 2**32


@frozen
class Shapes:
    """What is drawn: q [batch, heads, n, head_dim], k and v [batch, kv_heads, n, head_dim]."""

    n: int
    batch: int
    heads: int
    kv_heads: int
    head_dim: int
    dtype: torch.dtype
    device: str

    def drawn(self) -> Parts:
        torch.manual_seed(0)
        sizes = [self.heads, self.kv_heads, self.kv_heads]
        options: dict[str, Any] = {"dtype": self.dtype, "device": self.device}
        q, k, v = (
            torch.randn(self.batch, heads, self.n, self.head_dim, **options) for heads in sizes
        )
        return q.requires_grad_(), k.requires_grad_(), v.requires_grad_()


@frozen
class Timing:
    """Milliseconds; `both` is forward and backward, None where there is no backward pass."""

    name: str
    forward: float
    both: float | None
    first: float
    rounds: int


@frozen
class LeftOut:
    """A contender that is not timed, and why."""

    name: str
    reason: str


OURS, SDPA, FLEX = "patternc", "SDPA with the mask", "FlexAttention, compiled"


def compared(
    pattern: Pattern, shapes: Shapes, layer: int, inputs: Mapping[str, Any], seconds: float
) -> tuple[Timing | LeftOut, ...]:
    """Each contender, patternc's first; `seconds` is what the turns of each take about.

    Raises what the first call of patternc raises.
    """
    parts = shapes.drawn()
    on_device = {name: torch.as_tensor(x, device=shapes.device) for name, x in inputs.items()}
    calls: dict[str, Call] = {}
    left, first, wanted = [], {}, None
    for name, made in _contenders(pattern, shapes, layer, on_device):
        try:
            calls[name] = made()
            begun = perf_counter()
            found = _finished(calls[name], parts, shapes)
            first[name] = 1e3 * (perf_counter() - begun)
            wanted = found if wanted is None else wanted
            _verify_equal(found, wanted)
        except (FormatError, UnsupportedError, RuntimeError, ValueError) as error:
            if name == OURS:
                raise
            calls.pop(name, None)
            left.append(LeftOut(name, " ".join(str(error).split())[:200]))
    forward = _turns(calls, lambda call: _finished(call, parts, shapes), shapes, seconds)
    trained = {name: call for name, call in calls.items() if _trains(name, shapes)}
    for call in trained.values():
        _both(call, parts, shapes)
    both = _turns(trained, lambda call: _both(call, parts, shapes), shapes, seconds)
    timed = [
        Timing(name, median(forward[name]), _median(both.get(name)), first[name], len(x))
        for name, x in forward.items()
    ]
    return (*timed, *left)


def _median(found: list[float] | None) -> float | None:
    return median(found) if found else None


def _contenders(
    pattern: Pattern, shapes: Shapes, layer: int, inputs: Mapping[str, Any]
) -> Iterator[tuple[str, Callable[[], Call]]]:
    def ours() -> Call:
        return lambda q, k, v: pattern.attention(q, k, v, layer=layer, **inputs)

    yield OURS, ours
    yield SDPA, lambda: _sdpa(pattern, shapes, layer, inputs)
    yield FLEX, lambda: _flex(pattern, shapes, layer, inputs)


def _sdpa(pattern: Pattern, shapes: Shapes, layer: int, inputs: Mapping[str, Any]) -> Call:
    verify_mask(pattern, layer, False, "SDPA")
    heads = pattern.heads or 1
    if heads * shapes.n**2 > _MASK_BYTES:
        raise FormatError(f"its mask has {heads * shapes.n**2 / 2**30:.0f} GB")
    given = {name: x.cpu() for name, x in inputs.items()}
    mask = torch.from_numpy(pattern.mask(shapes.n, layer=layer, **given)).to(shapes.device)
    shared = shapes.heads != shapes.kv_heads
    return lambda q, k, v: scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=shared)


def _flex(pattern: Pattern, shapes: Shapes, layer: int, inputs: Mapping[str, Any]) -> Call:
    from torch.nn.attention.flex_attention import flex_attention

    asked: dict[str, Any] = {"layer": layer, "heads": shapes.heads, "device": shapes.device}
    mask = pattern.block_mask(shapes.n, **asked, **inputs)
    score = pattern.score_mod(shapes.n, **asked, **inputs)
    compiled = torch.compile(flex_attention, dynamic=False)
    shared = shapes.heads != shapes.kv_heads

    def call(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = compiled(q, k, v, score_mod=score, block_mask=mask, enable_gqa=shared)
        return found

    return call


def _trains(name: str, shapes: Shapes) -> bool:
    """FlexAttention has no backward pass on a CPU."""
    return name != FLEX or shapes.device != "cpu"


def _finished(call: Call, parts: Parts, shapes: Shapes) -> torch.Tensor:
    with torch.no_grad():
        found = call(*(part.detach() for part in parts))
    _wait(shapes)
    return found


def _both(call: Call, parts: Parts, shapes: Shapes) -> None:
    out = call(*parts)
    torch.autograd.grad(out, parts, out)
    _wait(shapes)


def _wait(shapes: Shapes) -> None:
    if shapes.device != "cpu":
        torch.cuda.synchronize()


def _verify_equal(found: torch.Tensor, wanted: torch.Tensor) -> None:
    bound = 1e-4 if wanted.dtype == torch.float32 else 3e-2
    far = (found.float() - wanted.float()).abs().max().item()
    if not far <= bound:
        raise ValueError(f"its result differs by {far:.1e} from patternc's")


def _turns(
    calls: Mapping[str, Call], run: Callable[[Call], object], shapes: Shapes, seconds: float
) -> dict[str, list[float]]:
    """Milliseconds of each call in each turn, until all have taken their seconds."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    until = perf_counter() + seconds * len(calls)
    for turn in range(_MOST):
        if turn >= _FEWEST and perf_counter() > until:
            break
        for name, call in calls.items():
            _wait(shapes)
            begun = perf_counter()
            run(call)
            found[name].append(1e3 * (perf_counter() - begun))
    return found
