"""The CPU path against what else a user could run, in one process.

    python benchmarks/cpu.py [--part forward --part decode ..] [--length 4096 ..] [--output r.json]

Parts: `forward` against compiled FlexAttention, fp32; `planned`, the same at 32,768 tokens with the
layout (their block mask) built in every call, by `create_block_mask` as it comes and compiled;
`trained`, forward and backward of every published program with fewer than a fifth of the pairs,
against dense attention with its mask, at 4,096 tokens; `bf16`, our forward in bf16 against fp32;
`decode`, one query over a million keys, also with key heads that are shared, and a call on sixteen
tokens; `memory`, the peak at 65,536 tokens. Calls alternate, and the medians of both stand beside
their ratio; the same of processor time, which other work on the machine changes less. A case that
takes longer than `--budget` seconds ends with the pair in which it does, and goes to no greater
length. As it comes, `create_block_mask` takes 20 GB of memory for a head at 32,768 tokens: it is
called once, in a process of its own, and left out with `--no-eager` or where less memory is free.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean, median

import click
import torch
from cpu_calls import CASES, HEAD_DIM, HEADS, Plan, Row, compared, drawn, seconds
from cpu_flex import forwards, planned
from cpu_memory import memory

from patternc import Pattern
from patternc.runtime.selftest import with_self_test
from patternc.zoo import zoo

# Lengths that a program fixes itself.
FIXED = {
    "natten_1d": {"length": 4096},
    "natten_1d_causal": {"length": 4096},
    "natten_2d": {"side": 64},
    "natten_2d_causal": {"side": 64},
}


def trained(name: str, n: int, plan: Plan) -> Row | None:
    """Of the first layer; None for what attends to a fifth of the pairs or more.

    Inputs are drawn. Dense attention gets as many keys as there are columns in the mask.
    """
    module = Pattern.from_zoo(name, **FIXED.get(name, {})).module
    *parts, inputs = with_self_test(module)._sample_call(n, n, head_dim=HEAD_DIM)
    given = {key: module._moved(value, "cpu", torch.float32) for key, value in inputs.items()}
    asked = {key: value for key, value in given.items() if key in module._ASKED}
    mask = module.mask(n, slots={"encoder": n}, **asked)
    density = mask.double().mean().item()
    if density >= 0.2:
        return None
    leaves = [part.float().requires_grad_() for part in parts]
    columns = (*leaves[1].shape[:2], mask.shape[2], HEAD_DIM)
    others = [leaves[0], *(torch.randn(columns).requires_grad_() for _ in range(2))]

    def ours() -> None:
        torch.autograd.grad(module.attention(*leaves, **given).sum(), leaves)

    def dense() -> None:
        out = torch.nn.functional.scaled_dot_product_attention(*others, attn_mask=mask)
        torch.autograd.grad(out.sum(), others)

    ours()
    row = compared(ours, dense, plan)
    return {"pattern": name, "n": n, "density": round(density, 4), **row}


@torch.no_grad()
def halved(text: str, n: int, plan: Plan) -> Row:
    """`other` is fp32."""
    parts, attention = drawn(n), Pattern.parse(text).attention
    low = [part.bfloat16() for part in parts]
    attention(*parts), attention(*low)
    row = compared(lambda: attention(*low), lambda: attention(*parts), plan)
    return {"pattern": text, "n": n, **row}


@torch.no_grad()
def decode(text: str, n: int, plan: Plan, shared: int = 1) -> Row:
    """One query: of a length known from the call before, and of lengths never seen.

    `shared` query heads use one key head.
    """
    (q, k, v), attention = drawn(n, 1), Pattern.parse(text).attention
    q = torch.randn(1, shared * HEADS, 1, HEAD_DIM)
    attention(q, k, v)
    again = [seconds(lambda: attention(q, k, v)) for _ in range(plan.pairs)]
    shorter = ((k[:, :, : n - step], v[:, :, : n - step]) for step in range(1, plan.pairs + 1))
    new = [seconds(lambda pair=pair: attention(q, *pair)) for pair in shorter]  # type: ignore[misc]
    row = {"again_ms": round(1e3 * median(again), 3), "new_n_ms": round(1e3 * median(new), 3)}
    return {"pattern": text, "n": n, "query_heads": shared * HEADS, "key_heads": HEADS, **row}


@torch.no_grad()
def overhead(text: str, n: int, plan: Plan) -> Row:
    parts, attention = drawn(n), Pattern.parse(text).attention
    attention(*parts)
    calls = [seconds(lambda: attention(*parts)) for _ in range(20 * plan.pairs)]
    return {"pattern": text, "n": n, "call_us": round(1e6 * median(calls), 1)}


def rows(part: str, lengths: tuple[int, ...], plan: Plan) -> Iterator[Row | None]:
    match part:
        case "forward":
            for text in CASES:
                yield from forwards(text, lengths, plan)
        case "planned":
            yield from (planned(text, 32768, plan) for text in CASES)
        case "trained":
            few = Plan(min(plan.pairs, 3), plan.budget)
            yield from (trained(name, 4096, few) for name in zoo())
        case "bf16":
            yield from (halved(text, 16384, plan) for text in CASES)
        case "decode":
            texts = ("causal & local(4096)", "causal\nlocal(left=4096) + columns([0])")
            yield from (decode(text, 1 << 20, plan) for text in texts)
            yield decode(texts[0], 1 << 20, plan, shared=8)
            yield overhead("local(256)", 16, plan)
        case _:
            yield from (memory(text, 65536) for text in CASES)


PARTS = ("forward", "planned", "trained", "bf16", "decode", "memory")


@click.command()
@click.option("--part", "parts", multiple=True, default=PARTS, type=click.Choice(PARTS))
@click.option("--length", "lengths", multiple=True, default=(4096, 8192, 16384, 32768, 65536))
@click.option("--pairs", default=15, show_default=True, help="Interleaved calls of each.")
@click.option("--budget", default=20.0, show_default=True, help="Seconds for the pairs of a case.")
@click.option("--eager/--no-eager", default=True, show_default=True, help="Masks as they come.")
@click.option("--output", type=click.Path(), help="Also write JSON here.")
def main(
    parts: tuple[str, ...],
    lengths: tuple[int, ...],
    pairs: int,
    budget: float,
    eager: bool,
    output: str | None,
) -> None:
    """Print one row per case, and the geometric mean of the ratios of each part."""
    torch.manual_seed(0)
    found: dict[str, list[Row]] = {part: [] for part in parts}
    for part in parts:
        for row in filter(None, rows(part, lengths, Plan(pairs, budget, eager))):
            found[part].append(row)
            print(part, row, flush=True)
        ratios = [row["ratio"] for row in found[part] if "ratio" in row]
        if ratios:
            print(f"{part}: geometric mean of the ratios {geometric_mean(ratios):.2f}", flush=True)
    if output:
        about = {"machine": platform.machine(), "threads": torch.get_num_threads()}
        record = {**about, "torch": torch.__version__, **found}
        Path(output).write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
