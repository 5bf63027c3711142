"""The CPU path against what else a user could run, in one process.

    python benchmarks/cpu.py [--part forward --part decode ..] [--length 4096 ..] [--output r.json]

Parts: `forward` against compiled FlexAttention, fp32; `planned`, the same at 32,768 tokens with the
layout (their block mask) built in every call, by `create_block_mask` as it comes and compiled;
`trained`, forward and backward of every published
program with fewer than a fifth of the pairs, against dense attention with its mask, at 4,096
tokens; `bf16`, our forward in bf16 against fp32; `decode`, one query over a million keys, also with
key heads that are shared, and a call on sixteen tokens; `memory`, the peak at 65,536 tokens. Calls
alternate, and the medians of both stand beside their ratio; the same of processor time, which other
work on the machine changes less. A case that takes longer than
`--budget` seconds ends with the pair in which it does, and goes to no greater length. As it comes,
`create_block_mask` takes 20 GB of memory for a head at 32,768 tokens: it is called once, in a
process of its own, and left out with `--no-eager` or where less memory is free.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import geometric_mean, median
from threading import Event, Thread
from time import perf_counter, process_time
from typing import Any, NamedTuple

import click
import torch
from patterns import (
    SEGMENTS,
    dilated,
    local,
    longformer,
    longnet,
    longnet_score,
    strided,
)
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from patternc import Pattern
from patternc.zoo import zoo

HEADS, HEAD_DIM = 4, 64
EAGER_GB = 20  # of a mask for one head at 32,768 tokens
Row = dict[str, Any]


class Plan(NamedTuple):
    """So many pairs of calls, for at most so many seconds a case; are `eager` masks asked?"""

    pairs: int
    budget: float
    eager: bool = True


Tensor = torch.Tensor
BLOCKS = "local(1) + global([0, -1]) + random(3, pool=1:16)"


def bigbird(n: int) -> Callable[..., Tensor]:
    blocks = Pattern.parse(BLOCKS).module.mask(n // 64)[0]
    return lambda b, h, i, j: blocks[i // 64, j // 64]


LONGNET = ", ".join(
    f"segment({width}, dilation={rate}, offset=head % {rate})" for width, rate in SEGMENTS
)
CASES = {
    "local(256)": local,
    "local(256, dilation=8)": dilated,
    f"causal\nheads {HEADS}\nmix({LONGNET})": longnet,
    "causal\nlocal(left=127) + strided(128)": strided,
    "local(256) + global([0])": longformer,
    f"blocks(64) {{ {BLOCKS} }}": bigbird,
}
flex = torch.compile(flex_attention)


def seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def measured(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of the processor."""
    start, before = perf_counter(), process_time()
    call()
    return 1e3 * (perf_counter() - start), 1e3 * (process_time() - before)


def compared(ours: Callable[[], object], theirs: Callable[[], object], plan: Plan) -> Row:
    """Medians of interleaved calls."""
    both: list[tuple[float, ...]] = []
    end = perf_counter() + plan.budget
    while not both or (len(both) < plan.pairs and perf_counter() < end):
        both.append((*measured(ours), *measured(theirs)))
    one, one_busy, other, other_busy = (median(column) for column in zip(*both, strict=True))
    return {
        "patternc_ms": round(one, 1),
        "other_ms": round(other, 1),
        "ratio": round(other / one, 2),
        "patternc_processor_ms": round(one_busy, 1),
        "other_processor_ms": round(other_busy, 1),
        "processor_ratio": round(other_busy / one_busy, 2),
        "pairs": len(both),
    }


def drawn(n: int, queries: int | None = None) -> tuple[Tensor, ...]:
    shapes = [(1, HEADS, rows, HEAD_DIM) for rows in (queries or n, n, n)]
    return tuple(torch.randn(shape) for shape in shapes)


def flex_call(
    text: str, n: int, compiled: bool | None = None
) -> tuple[Callable[[], object], dict[str, Any]]:
    """What builds FlexAttention's mask of a case, compiled if long, and its other arguments."""
    case = CASES[text]
    mask = case(n) if case is bigbird else case
    options: dict[str, Any] = {"score_mod": longnet_score} if case is longnet else {}
    compiled = n > 16384 if compiled is None else compiled
    build = torch.compile(create_block_mask) if compiled else create_block_mask
    return lambda: build(mask, None, masked_heads(text), n, n, device="cpu"), options


def masked_heads(text: str) -> int | None:
    """For how many heads there is a mask each; None where one stands for all."""
    return HEADS if CASES[text] is longnet else None


def flex_planned(text: str, n: int, compiled: bool) -> Callable[[], object]:
    """Their call with its mask built in it.

    Two shorter ones come before: at the second length torch compiles for all lengths.
    """
    for short in (n // 8, n // 4):
        build, options = flex_call(text, short, compiled)
        flex(*drawn(short), **options, block_mask=build())
    parts, (build, options) = drawn(n), flex_call(text, n, compiled)
    return lambda: flex(*parts, **options, block_mask=build())


@torch.no_grad()
def forward(text: str, n: int, plan: Plan) -> Row:
    parts, attention = drawn(n), Pattern.parse(text).attention
    build, options = flex_call(text, n)
    start = perf_counter()
    options["block_mask"] = build()
    built = perf_counter() - start
    found, other = attention(*parts), flex(*parts, **options)
    torch.testing.assert_close(found, other, rtol=1e-3, atol=1e-3)
    row = compared(lambda: attention(*parts), lambda: flex(*parts, **options), plan)
    return {"pattern": text, "n": n, **row, "their_mask_s": round(built, 2)}


def forwards(text: str, lengths: tuple[int, ...], plan: Plan) -> Iterator[Row]:
    """Lengths in order, until one takes too long."""
    for n in lengths:
        start = perf_counter()
        yield forward(text, n, plan)
        if perf_counter() - start > 2 * plan.budget:
            return


@torch.no_grad()
def planned(text: str, n: int, plan: Plan) -> Row:
    """Nothing is known of a length before a call: masks, tables and pieces are made in it.

    `other` builds its mask by compiled `create_block_mask`, `eager` as it comes.
    """
    parts, module = drawn(n), Pattern.parse(text).module
    module.attention(*parts)

    def ours() -> None:
        for cache in ("pieces", "plan", "table", "draws"):
            if hasattr(module, f"_static_{cache}"):
                getattr(module, f"_static_{cache}").cache_clear()
        module.attention(*parts)

    row = compared(ours, flex_planned(text, n, compiled=True), plan)
    return {"pattern": text, "n": n, **row, **eager(text, n, plan, row)}


def eager(text: str, n: int, plan: Plan, ours: Row) -> Row:
    """One call with a mask as it comes, in a process that gives its memory back."""
    asked, free = EAGER_GB * (masked_heads(text) or 1), available_gb()
    if not plan.eager:
        return {"eager_left_out": "--no-eager"}
    if free < asked:
        return {"eager_left_out": f"{free:.0f} GB are free, {asked} are asked"}
    command = [sys.executable, __file__, "--eager-call", text, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"eager_left_out": done.stderr.strip().splitlines()[-1]}
    clock, busy = map(float, done.stdout.split())
    return {
        "eager_ms": round(clock, 1),
        "eager_ratio": round(clock / ours["patternc_ms"], 1),
        "eager_processor_ratio": round(busy / ours["patternc_processor_ms"], 1),
    }


def available_gb() -> float:
    """Memory that a process can have, in gigabytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if "MemAvailable" in line) / 2**20


@torch.no_grad()
def eager_ms(text: str, n: int) -> tuple[float, float]:
    """What one call takes. It fails rather than take the memory that others hold."""
    call = flex_planned(text, n, compiled=False)
    resource.setrlimit(resource.RLIMIT_AS, (int(available_gb() * 2**30),) * 2)
    return measured(call)


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
    *parts, inputs = module._sample_call(n, n, head_dim=HEAD_DIM)
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


def memory(text: str, n: int) -> Row:
    command = [sys.executable, __file__, "--peak", text]
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


def held_by(call: Callable[[], tuple[Tensor, ...]]) -> float:
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
@click.option("--peak", "watched", hidden=True)
@click.option("--eager-call", type=(str, int), hidden=True)
def main(
    parts: tuple[str, ...],
    lengths: tuple[int, ...],
    pairs: int,
    budget: float,
    eager: bool,
    output: str | None,
    watched: str | None,
    eager_call: tuple[str, int] | None,
) -> None:
    """Print one row per case, and the geometric mean of the ratios of each part."""
    if watched:
        click.echo(" ".join(map(str, peak(watched))))
        return
    if eager_call:
        click.echo(" ".join(map(str, eager_ms(*eager_call))))
        return
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
