"""Trains the model with windows, densely, and densely by torch alone, and writes what it measured.

    python examples/character_model/train.py --output results.json

Each model is trained in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from model import FOLDER, Model, encode, text
from torch import Tensor

from patternc import Pattern

MODELS = {"windows": "windows.pat", "dense": "dense.pat", "dense, torch alone": None}


@dataclass(frozen=True, slots=True)
class Training:
    """How to train; `n` characters in a row, `batch` rows in a step."""

    steps: int = 300
    n: int = 4096
    batch: int = 1
    held_out: int = 4
    """Rows of text that no step sees."""
    rate: float = 4e-3
    every: int = 20
    """Steps between two looks at the loss of held-out text."""
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What was measured of one model; losses in nats per character, memory in bytes."""

    model: str
    parameters: int
    pairs_per_query: float
    """Keys that a query sees, on average over queries and layers."""
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """Of held-out text, at `steps`."""
    seconds: list[float] = field(default_factory=list)
    """Processor time of training until then, on one thread."""
    tokens_per_second: float = 0.0
    """At the median step."""
    memory_before: int = 0
    memory: int = 0
    """The most the process held, before the first step and in all."""
    sample: str = ""


def train(name: str, how: Training) -> Result:
    """One model, from the seed."""
    torch.set_num_threads(1)
    torch.manual_seed(how.seed)
    program = MODELS[name]
    if program is None:  # its losses are those of the dense program: speed and memory alone
        how = replace(how, steps=min(how.steps, 2 * how.every))
    pattern = None if program is None else Pattern.load(FOLDER / program)
    model = Model(pattern)
    counted = Pattern.load(FOLDER / (program or "dense.pat"))
    result = Result(name, sum(p.numel() for p in model.parameters()), keys_seen(counted, how.n))
    data = encode(text())
    data, rest = data.split([len(data) - how.held_out * how.n - 1, how.held_out * how.n + 1])
    held_out = rows(rest, torch.arange(how.held_out) * how.n, how.n)
    optimizer = torch.optim.AdamW(model.parameters(), how.rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, how.rate, total_steps=how.steps)
    result.memory_before = most_memory()
    choose, times = torch.Generator().manual_seed(how.seed), []
    for step in range(how.steps):
        chosen = torch.randint(len(data) - how.n, (how.batch,), generator=choose)
        begin = time.process_time()
        loss = model.loss(rows(data, chosen, how.n))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        times.append(time.process_time() - begin)
        if (step + 1) % how.every == 0 or step + 1 == how.steps:
            with torch.no_grad():
                result.losses.append(round(float(model.loss(held_out)), 4))
            result.steps.append(step + 1)
            result.seconds.append(round(sum(times), 1))
            print(
                f"{name}: step {step + 1}, loss {result.losses[-1]}, {sum(times):.0f} s", flush=True
            )
    result.tokens_per_second = round(how.batch * how.n / statistics.median(times))
    result.memory = most_memory()
    if program is not None:
        result.sample = model.eval().write("Return ", 300)
    return result


def keys_seen(pattern: Pattern, n: int) -> float:
    """On average over layers and queries; all heads see the same."""
    counts = [pattern.pairs(n, layer=layer)[0] for layer in range(pattern.layers or 1)]
    return round(sum(counts) / len(counts) / n, 1)


def rows(data: Tensor, starts: Tensor, n: int) -> Tensor:
    """n + 1 characters from each start on."""
    return data[starts[:, None] + torch.arange(n + 1)]


def most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=Training().steps)
    parser.add_argument("--n", type=int, default=Training().n)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--output", type=Path, default=FOLDER / "results.json")
    given = parser.parse_args()
    how = replace(Training(), steps=given.steps, n=given.n)
    context = multiprocessing.get_context("spawn")
    results = []
    for name in given.models:
        with context.Pool(1) as pool:
            results.append(pool.apply(train, (name, how)))
    found = {"training": asdict(how), "results": [asdict(one) for one in results]}
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
