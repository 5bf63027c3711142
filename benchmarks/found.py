"""Time and memory of attention whose pairs are found: `python benchmarks/found.py [n ..]`.

Forward and backward pass of one head of 64 on one CPU thread, each in a process of its own, whose
greatest resident memory it states beside that of a process which only imports torch. `lsh` has
chunks of 64 and two rounds, `cluster` sqrt(n) clusters of sqrt(n).
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import time
from itertools import pairwise

PATTERNS = {
    "lsh": "causal\nlsh({buckets}, chunk=64, rounds=2)",
    "cluster": "causal\nmean(cluster({root}, {root}, means=means))",
}


def measured(kind: str, n: int) -> None:
    """One line: kind, n, seconds forward, seconds backward, greatest memory in GB."""
    import torch

    from patternc import Pattern

    torch.set_num_threads(1)
    torch.manual_seed(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    root = math.isqrt(n)
    text = PATTERNS[kind].format(root=root, buckets=2 * (n // 64 // 2))
    q, v = (torch.randn(1, 1, n, 64, requires_grad=True) for _ in range(2))
    k = torch.nn.functional.normalize(q, dim=-1)
    inputs = {"means": torch.randn(1, root, 64)} if kind == "cluster" else {}
    pattern = Pattern.parse(text)
    pattern.attention(q[:, :, :128], k[:, :, :128], v[:, :, :128], **inputs)
    times = [time.process_time()]
    out = pattern.attention(q, k, v, **inputs)
    times.append(time.process_time())
    out.square().sum().backward()
    times.append(time.process_time())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = [f"{after - start:.1f}" for start, after in pairwise(times)]
    print(kind, n, *seconds, f"{memory / 1e6:.2f}", f"{before / 1e6:.2f}", flush=True)


def main() -> None:
    lengths = [int(n) for n in sys.argv[1:]] or [4096, 16384, 65536]
    print("| pairs | n | forward, s | backward, s | memory, GB | of torch, GB |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in PATTERNS:
        for n in lengths:
            call = [sys.executable, __file__, "--one", kind, str(n)]
            done = subprocess.run(call, check=True, capture_output=True, text=True)
            print(f"| {' | '.join(done.stdout.split())} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(sys.argv[2], int(sys.argv[3]))
    else:
        main()
