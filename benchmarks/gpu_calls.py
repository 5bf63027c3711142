"""What benchmarks/gpu.py times: our call, FlexAttention's and dense attention's.

Every call is of bf16 tensors [batch, HEADS, n, head_dim] with batch * n = TOKENS, or of one
sequence where n is longer or the device is a CPU. Times are milliseconds.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import torch
from patterns import CASES, Case

HEADS = 12
TOKENS = 1 << 17
SLOW_S = 5.0  # a call that takes longer is measured once
REPEATS = 10
torch._dynamo.config.recompile_limit = 256  # every pattern and length compiles anew
Call = Callable[[], torch.Tensor]
Row = dict[str, Any]


def module_path(folder: Path, name: str, head_dim: int) -> Path:
    stem = "".join(letter if letter.isalnum() else "_" for letter in name)
    return folder / f"{stem}_{head_dim}.py"


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batch_of(n: int, device: str) -> int:
    return max(1, TOKENS // n) if device == "cuda" else 1


def tensors(n: int, head_dim: int, batch: int, device: str) -> list[torch.Tensor]:
    shape = (batch, HEADS, n, head_dim)
    return [
        torch.randn(shape, device=device, dtype=torch.bfloat16, requires_grad=True)
        for _ in range(3)
    ]


def gradients(out: torch.Tensor, inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(out, inputs, torch.ones_like(out))


def error_of(module: ModuleType, n: int, head_dim: int, device: str) -> float:
    """Greatest error of output and gradients, relative to the reference's greatest value."""
    inputs = tensors(n, head_dim, 1, device)
    exact = [part.detach().float().requires_grad_() for part in inputs]
    ours, theirs = module.attention(*inputs), module.reference(*exact)
    pairs = zip((ours, *gradients(ours, inputs)), (theirs, *gradients(theirs, exact)), strict=True)
    return max(((a.float() - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def _events(call: Callable[[], object]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end)


def _clock(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def milliseconds(call: Callable[[], object], device: str) -> float:
    """The median of several calls, by CUDA events on a GPU, after warming up."""
    timed = _events if device == "cuda" else _clock
    once = timed(call)
    if once > 1e3 * SLOW_S:
        return once
    timed(call)
    return median(timed(call) for _ in range(REPEATS))


def with_backward(forward: Call, inputs: list[torch.Tensor]) -> Callable[[], object]:
    return lambda: gradients(forward(), inputs)


def flex_call(case: Case, module: ModuleType, inputs: list[torch.Tensor], backend: str) -> Call:
    """FlexAttention of the same pairs; its block mask is built here, outside the timing."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    n, device = inputs[0].shape[2], inputs[0].device.type
    mask, score = case.masks(module, n, device)
    built = torch.compile(create_block_mask)(mask, None, HEADS, n, n, device=device)
    compiled = torch.compile(flex_attention, dynamic=False)
    options: Row = {"BACKEND": backend} if device == "cuda" else {}
    told = {"block_mask": built, "score_mod": score, "kernel_options": options}
    return lambda: compiled(*inputs, **told)


def dense_call(case: Case, inputs: list[torch.Tensor]) -> Call:
    """Dense attention over all pairs (or all before the query), by the fastest kernel torch has."""
    sdpa = torch.nn.functional.scaled_dot_product_attention
    return lambda: sdpa(*inputs, is_causal=case.causal)


def measure(name: str, module: ModuleType, n: int, head_dim: int, device: str) -> Row:
    """Times of all peers, forward and with backward; what a peer cannot do is told in its place."""
    case, batch = CASES[name], batch_of(n, device)
    inputs = tensors(n, head_dim, batch, device)
    row: Row = {"pattern": name, "n": n, "batch": batch, "head_dim": head_dim}
    peers: dict[str, Callable[[], Call]] = {
        "patternc": lambda: lambda: module.attention(*inputs),
        "flex": lambda: flex_call(case, module, inputs, "TRITON"),
        "flash": lambda: flex_call(case, module, inputs, "FLASH"),
        "dense": lambda: dense_call(case, inputs),
    }
    for peer, prepare in peers.items():
        try:
            forward = prepare()
            with torch.no_grad():
                row[f"{peer}_forward_ms"] = milliseconds(forward, device)
            row[f"{peer}_both_ms"] = milliseconds(with_backward(forward, inputs), device)
        except Exception as error:  # a peer that cannot run is a result
            row[f"{peer}_error"] = f"{type(error).__name__}: {error}"[:300]
    return row


def overhead_us(module: ModuleType, head_dim: int, device: str) -> float:
    """Microseconds of the host for one call on sixteen tokens."""
    inputs = [part.detach() for part in tensors(16, head_dim, 1, device)]
    calls = [_clock(lambda: module.attention(*inputs)) for _ in range(200)]
    return round(1e3 * median(calls[50:]), 1)


def warm(path: Path, name: str, n: int, head_dim: int, device: str) -> None:
    """Fill the caches on disk of all that compiles; for a process of its own."""
    module = loaded(path)
    inputs = tensors(n, head_dim, batch_of(n, device), device)
    gradients(module.attention(*inputs), inputs)
    flex = flex_call(CASES[name], module, inputs, "TRITON")
    with torch.no_grad():
        flex()
    gradients(flex(), inputs)
