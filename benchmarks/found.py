"""Time and memory of attention whose pairs are found: `python benchmarks/found.py [n ..]`.

Forward and backward pass of one head of 64 on one CPU thread, each in a process of its own: seconds
of the processor, its greatest resident memory, and how much more that is than before the pass
(by Linux's /proc), after a pass of 128 tokens. `lsh` has chunks of 64 and two rounds, `cluster`
sqrt(n) clusters of sqrt(n), `features` 256 positive ones, `sinkhorn` blocks of 64, `store` 32 keys
of a store of 262,144 beside a window, in a segment of n.

`--beside` measures the same by other packages, in an environment that has them beside what patternc
asks: reformer-pytorch 1.4.4, routing-transformer 1.6.1, performer-pytorch 1.1.4,
sinkhorn-transformer 0.11.4.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

PATTERNS = {
    "lsh": "causal\nlsh({buckets}, chunk=64, rounds=2)",
    "cluster": "causal\nmean(cluster({root}, {root}, means=means))",
    "features": "features(256, map=favor, seed=0)",
    "sinkhorn": "segment(64) + sinkhorn(64)",
    "store": "causal\ngate(local(left=512), nearest(32) on store(262144), name=trust)",
}
STORED = 262_144


def measured(kind: str, n: int, beside: bool) -> None:
    """One line: kind, n, seconds forward, seconds backward, greatest memory and what is added."""
    import torch

    from patternc import Pattern

    torch.set_num_threads(1)
    torch.manual_seed(0)
    attend = _theirs(kind, n) if beside else _ours(kind, n, Pattern)
    q, k, v = (torch.randn(1, 1, n, 64, requires_grad=True) for _ in range(3))
    if kind == "lsh":
        k = torch.nn.functional.normalize(q, dim=-1)
    attend(*(torch.randn(1, 1, 128, 64) for _ in range(3)))
    before, times = _memory_from_now_on(), [time.process_time()]
    out = attend(q, k, v)
    times.append(time.process_time())
    out.square().sum().backward()
    times.append(time.process_time())
    memory = _status("VmHWM")
    seconds = [f"{after - start:.2f}" for start, after in pairwise(times)]
    print(kind, n, *seconds, f"{memory:.2f}", f"{memory - before:.3f}", flush=True)


def _memory_from_now_on() -> float:
    """Resident memory in GB; what was more before is forgotten."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1e6


def _ours(kind: str, n: int, pattern_type: Any) -> Callable[..., Any]:
    import torch

    root = math.isqrt(n)
    pattern = pattern_type.parse(PATTERNS[kind].format(root=root, buckets=2 * (n // 64 // 2)))
    inputs: dict[str, Any] = {}
    if kind == "cluster":
        inputs["means"] = torch.randn(1, root, 64)
    if kind == "store":
        inputs["trust"] = torch.tensor([0.5])
        inputs["store_kv"] = torch.randn(2, 1, 1, STORED, 64).unbind()
    return lambda q, k, v: pattern.attention(q, k, v, **inputs)


def _theirs(kind: str, n: int) -> Callable[..., Any]:
    """The attention of the package whose paper it is, with the same sizes."""
    root = math.isqrt(n)
    match kind:
        case "lsh":
            from reformer_pytorch.reformer_pytorch import LSHAttention

            hashed = LSHAttention(bucket_size=64, n_hashes=2, causal=True)
            return lambda q, _k, v: hashed(q[:, 0], v[:, 0])[0]
        case "cluster":
            from routing_transformer.routing_transformer import KmeansAttention

            routed = KmeansAttention(root, root, 1, 64, causal=True).eval()
            return lambda q, k, v: routed(q, k, v)[0]
        case "features":
            from performer_pytorch import FastAttention

            return FastAttention(64, nb_features=256)
        case "sinkhorn":
            from sinkhorn_transformer.sinkhorn_transformer import SinkhornAttention

            return SinkhornAttention(64, 64, 64, 1, n)
        case _:
            raise SystemExit(f"no package for {kind}")


def main() -> None:
    beside = sys.argv[1:2] == ["--beside"]
    lengths = [int(n) for n in sys.argv[1 + beside :]] or [4096, 16384, 65536]
    kinds = [kind for kind in PATTERNS if not (beside and kind == "store")]
    print("| pairs | n | forward, s | backward, s | memory, GB | of the pass, GB |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind in kinds:
        for n in lengths:
            call = [sys.executable, __file__, "--theirs" if beside else "--one", kind, str(n)]
            done = subprocess.run(call, check=False, capture_output=True, text=True)
            failed = f"{kind} {n} {(done.stderr.splitlines() or ['killed'])[-1][:60]}"
            print(f"| {' | '.join(done.stdout.split() or [failed])} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] in (["--one"], ["--theirs"]):
        measured(sys.argv[2], int(sys.argv[3]), sys.argv[1] == "--theirs")
    else:
        main()
