"""A prefix tree of eight levels beside packed documents of as many pairs, forward and backward.

    python benchmarks/cpu_trees.py [--n 65536] [--repeat 5]

Prints one JSON line for each n: pairs, medians in milliseconds of the processor of calls that
alternate, their ratio, and megabytes that the first call takes beside its inputs and results.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from statistics import median

import numpy as np
import torch
from cpu_calls import measured
from cpu_memory import held_by

from patternc import Pattern

HEADS, D, LEVELS = 1, 64, 8
TREE, DOCUMENTS = Pattern("visible(tin, tout)"), Pattern("causal\nsame(document)")
Tensor = torch.Tensor


def tree(n: int) -> dict[str, Tensor]:
    """Tokens in preorder; a node is up to n / 64 tokens with up to three nodes below."""
    random, end = np.random.default_rng(0), np.full(n, n)
    spans = [(0, n, 0)]
    while spans:
        first, stop, level = spans.pop()
        stem = min(stop - first, int(random.integers(1, n // 64)))
        stem = stop - first if level == LEVELS - 1 else stem
        end[first : first + stem] = stop
        cuts = np.sort(random.integers(first + stem, stop + 1, 2))
        below = zip([first + stem, *cuts], [*cuts, stop], strict=True)
        spans += [(a, b, level + 1) for a, b in below if a < b]
    return {"tin": torch.arange(n), "tout": torch.from_numpy(end)}


def documents(n: int, pairs: int) -> dict[str, Tensor]:
    """Documents of equal length, which have about so many pairs."""
    return {"document": torch.arange(n) // max(1, round(2 * pairs / n - 1))}


def both_ways(pattern: Pattern, parts: list[Tensor], given: dict[str, Tensor]) -> list[Tensor]:
    out = pattern.attention(*parts, **given, backend="cpu")
    return [out.detach(), *torch.autograd.grad(out.sum(), parts)]


def compared(n: int, repeat: int) -> dict[str, object]:
    given = tree(n)
    pairs = TREE.pairs(n, **{name: value.numpy() for name, value in given.items()})[0]
    parts = [torch.randn(1, HEADS, n, D, requires_grad=True) for _ in range(3)]
    ours = partial(both_ways, TREE, parts, given)
    theirs = partial(both_ways, DOCUMENTS, parts, documents(n, pairs))
    held = held_by(lambda: tuple(ours()))
    theirs()
    times = [(measured(ours)[1], measured(theirs)[1]) for _ in range(repeat)]
    one, other = (median(column) for column in zip(*times, strict=True))
    row: dict[str, object] = {"n": n, "pairs": pairs, "tree_ms": round(one)}
    row |= {"documents_ms": round(other), "ratio": round(one / other, 2)}
    return row | {"beside_mb": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="*", default=[16384, 32768, 65536])
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    compared(2048, 1)
    for n in given.n:
        print(json.dumps(compared(n, given.repeat)), flush=True)


if __name__ == "__main__":
    main()
