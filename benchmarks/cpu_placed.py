"""What padding, caches and masks as lists cost on the CPU, as ratios within one run.

    python benchmarks/cpu_placed.py [--repeat 40]

Prints one JSON line a case: the medians of both calls in milliseconds of the processor, and their
ratio. Calls alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from statistics import median

import torch
from cpu_calls import measured

from patternc import Pattern

Call = Callable[[], object]
Tensor = torch.Tensor
BATCH, HEADS, KV_HEADS, N, D = 2, 8, 2, 1200, 64


def _drawn(queries: int, n: int, heads: int = HEADS, kv: int = KV_HEADS) -> list[Tensor]:
    sizes = (BATCH, heads, queries, D), (BATCH, kv, n, D), (BATCH, kv, n, D)
    return [torch.randn(size) for size in sizes]


def _real(n: int, *lengths: int, before: bool = True) -> Tensor:
    slot, length = torch.arange(n), torch.tensor(lengths)[:, None]
    return slot >= n - length if before else slot < length


def _decoding() -> Iterator[tuple[str, Call, Call]]:
    """A step at ever new lengths: with labels of padding, with key_padding, with cache_lengths."""
    plain, labelled = Pattern.parse("causal"), Pattern.parse("causal & same(real)")
    q, k, v = _drawn(1, 2 * N)
    steps = {name: count(N) for name in ("plain", "labels", "padding", "lengths")}
    # A model makes them once a step, for all of its layers.
    padding = torch.arange(2 * N) >= torch.tensor([[0], [100]])
    labels, lengths = padding.long() - 1, torch.tensor([0, -100])

    def keys(name: str) -> tuple[Tensor, Tensor, int]:
        n = next(steps[name])
        return k[:, :, :n], v[:, :, :n], n

    def step(name: str) -> object:
        some_k, some_v, n = keys(name)
        match name:
            case "plain":
                return plain.attention(q, some_k, some_v)
            case "labels":
                return labelled.attention(q, some_k, some_v, real=labels[:, :n])
            case "padding":
                return plain.attention(q, some_k, some_v, key_padding=padding[:, :n])
            case _:
                return plain.attention(q, k, v, cache_lengths=lengths + n)

    for name in ("labels", "padding", "lengths"):
        yield f"decoding step, {name}", lambda name=name: step(name), lambda: step("plain")


def _prefill() -> Iterator[tuple[str, Call, Call]]:
    """All of a prompt: with labels, and with key_padding on either side."""
    for text in ("causal", "local(left=127) & causal"):
        plain, labelled = Pattern.parse(text), Pattern.parse(f"({text}) & same(real)")
        q, k, v = _drawn(N, N)
        real = _real(N, N, N - 100)
        labels, behind = real.long() - 1, _real(N, N, N - 100, before=False)
        without = partial(plain.attention, q, k, v)
        yield (
            f"prefill {text}, labels",
            lambda labelled=labelled, qkv=(q, k, v), labels=labels: labelled.attention(
                *qkv, real=labels
            ),
            without,
        )
        for name, padding in (("before", real), ("behind", behind)):
            yield (
                f"prefill {text}, padding {name}",
                lambda plain=plain, qkv=(q, k, v), padding=padding: plain.attention(
                    *qkv, key_padding=padding
                ),
                without,
            )


def _listed() -> Iterator[tuple[str, Call, Call]]:
    """A mask of 5 % as lists against dense SDPA; the first call, with new contents, and others."""
    n = 2048
    pattern = Pattern.parse("listed(keys)")
    q, k, v = _drawn(n, n, 4, 4)
    mask = torch.rand(n, n) < 0.05
    keys = mask.float().topk(int(mask.sum(1).max()), dim=1).indices
    keys = torch.where(mask.gather(1, keys), keys, -1)
    dense = partial(torch.nn.functional.scaled_dot_product_attention, q, k, v, attn_mask=mask)

    def fresh() -> object:
        pattern.module._PIECES.results.clear()
        pattern.module._LAST.clear()
        return pattern.attention(q, k, v, keys=keys)

    torch.testing.assert_close(fresh(), dense(), atol=1e-4, rtol=1e-4)
    yield "listed 5 %, first call", fresh, dense
    yield "listed 5 %, again", lambda: pattern.attention(q, k, v, keys=keys), dense


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name, call, other in (*_decoding(), *_prefill(), *_listed()):
        if options.only not in name:
            continue
        repeat = options.repeat if "first" not in name else min(3, options.repeat)
        call(), other()
        pairs = [(measured(call)[1], measured(other)[1]) for _ in range(repeat)]
        own, base = (median(times) for times in zip(*pairs, strict=True))
        row = {"case": name, "ms": round(own, 3), "without_ms": round(base, 3)}
        print(json.dumps({**row, "ratio": round(own / base, 2)}), flush=True)


if __name__ == "__main__":
    main()
