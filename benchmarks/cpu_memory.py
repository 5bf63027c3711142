"""What calls of the CPU path take beside their results.

`python benchmarks/cpu_memory.py PATTERN` looks at one forward and one backward pass.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import torch
from cpu_calls import Row, drawn

from patternc import Pattern


def memory(text: str, n: int) -> Row:
    command = [sys.executable, __file__, text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    forward, backward = map(float, done.stdout.split())
    return {
        "pattern": text,
        "n": n,
        "beside_inputs_and_outputs_mb": forward,
        "beside_gradients_mb": backward,
    }


def resident() -> float:
    """Megabytes of memory in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def held_by(call: Callable[[], tuple[torch.Tensor, ...]]) -> float:
    """Megabytes that a call takes beside its results, looked at every millisecond."""
    held, done = [resident()], Event()

    def watch() -> None:
        while not done.wait(0.001):
            held.append(resident())

    watcher = Thread(target=watch)
    watcher.start()
    results = call()
    done.set()
    watcher.join()
    return round(max(held) - held[0] - sum(part.nbytes for part in results) / 2**20, 1)


def peak(text: str) -> tuple[float, float]:
    """Of the forward pass, and of the backward pass."""
    attention = Pattern.parse(text).attention
    attention(*(part.requires_grad_() for part in drawn(2048))).sum().backward()
    parts = drawn(65536)
    forward = held_by(lambda: (attention(*parts),))
    leaves = [part.requires_grad_() for part in parts]
    out, d_out = attention(*leaves), torch.randn(leaves[0].shape)
    return forward, held_by(lambda: torch.autograd.grad(out, leaves, d_out))


if __name__ == "__main__":
    print(*peak(sys.argv[1]))
