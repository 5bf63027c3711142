"""Draws what train.py measured, with matplotlib (the extra `plot`), for docs/character-model.md.

python examples/character_model/plot.py results.json docs/pictures/character-model.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib
from matplotlib import pyplot

# Told apart by people who see fewer colours, and readable on white and on black.
COLOURS = {"windows": "#d98200", "dense": "#3b8fd0", "dense, torch alone": "#7f8796"}
MARKS = {"windows": "o", "dense": "s", "dense, torch alone": "^"}
STYLE = {
    "svg.hashsalt": "patternc",
    "font.size": 9,
    **dict.fromkeys(
        ["axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "text.color"], "#7f8796"
    ),
}


def draw(results: list[dict], file: Path) -> None:
    """Loss against steps and against seconds, and characters per second."""
    matplotlib.rcParams.update(STYLE)
    figure, (by_step, by_time, speed) = pyplot.subplots(1, 3, figsize=(9, 2.8), layout="tight")
    for axes, key, label in (
        (by_step, "steps", "step"),
        (by_time, "seconds", "processor seconds of training"),
    ):
        for one in results[:2]:
            name = one["model"]
            axes.plot(one[key], one["losses"], MARKS[name] + "-", ms=3, color=COLOURS[name])
            axes.annotate(f" {name}", (one[key][-1], one["losses"][-1]), color=COLOURS[name])
        axes.margins(x=0.22)
        axes.set(xlabel=label, ylabel="nats per character")
    for one in results:
        bar = speed.barh(one["model"], one["tokens_per_second"], color=COLOURS[one["model"]])
        speed.bar_label(bar, fmt="{:,.0f}", padding=3)
    speed.margins(x=0.3)
    speed.invert_yaxis()
    speed.set(xlabel="characters per second")
    for axes in (by_step, by_time, speed):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["results"], Path(sys.argv[2]))
