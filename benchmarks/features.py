"""Feature maps on the CPU: how processor time grows with n.

    python benchmarks/features.py

Forward and backward of `features(64, map=..)`, causal, 4 heads of 64, fp32, one thread; for every n
the processor time of the faster of two calls, and how many times that of half as many tokens it is.
Beside it a decoding step with the state of n tokens.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from cpu_calls import measured

from patternc import Pattern

LENGTHS = (4_096, 8_192, 16_384, 32_768, 65_536)
MAPS = ("features(64, map=favor)", "features(64, map=rfa)", "features(map=elu)")
HEADS, HEAD_DIM = 4, 64


def fastest(call: Callable[[], object]) -> float:
    """Milliseconds of the processor."""
    return min(measured(call)[1] for _ in range(2))


def row(text: str) -> str:
    module = Pattern.parse(f"causal\n{text}").module
    times, before = [], 0.0
    for n in LENGTHS:
        q, k, v = (torch.randn(1, HEADS, n, HEAD_DIM, requires_grad=True) for _ in range(3))
        found = fastest(
            lambda q=q, k=k, v=v: module.attention(q, k, v, backend="cpu").sum().backward()
        )
        times.append(f"{found:,.0f} ms" + (f", {found / before:.2f}" if before else ""))
        before = found
    with torch.no_grad():
        state = module.feature_state(k, v)
        step = [part[:, :, :1] for part in (q, k, v)]
        taken = fastest(lambda: module.attention(*step, feature_state=state, backend="cpu"))
    return f"| `{text}` | {' | '.join(times)} | {taken:.2f} ms |"


def main() -> None:
    torch.set_num_threads(1)
    heads = " | ".join(f"{n:,}" for n in LENGTHS)
    print(f"| causal | {heads} | a step |\n|---{'|---' * (len(LENGTHS) + 1)}|")
    for text in MAPS:
        print(row(text), flush=True)


if __name__ == "__main__":
    main()
