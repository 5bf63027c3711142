"""The patterns that benchmarks compare, ours and as FlexAttention's mask functions.

A case gives the program's text, and how FlexAttention is told the same pairs: a mask function over
(batch, head, query, key), and a score function where pairs count several times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import torch

EXAMPLES = Path(__file__).parents[1] / "examples"
Mask = Callable[..., torch.Tensor]
SEGMENTS = ((2048, 1), (4096, 2), (8192, 4), (16384, 6), (32768, 12))


class Case(NamedTuple):
    """`masks(module, n, device)` gives (mask function, score function or None)."""

    text: str
    masks: Callable[[ModuleType, int, str], tuple[Mask, Mask | None]]
    causal: bool = False


def _plain(mask: Mask) -> Callable[[ModuleType, int, str], tuple[Mask, None]]:
    return lambda module, n, device: (mask, None)


def local(b, h, i, j):
    return (i - j <= 256) & (j - i <= 256)


def dilated(b, h, i, j):
    return (i - j <= 2048) & (j - i <= 2048) & ((i - j) % 8 == 0)


def longformer(b, h, i, j):
    return local(b, h, i, j) | (i == 0) | (j == 0)


def strided(b, h, i, j):
    return (j <= i) & ((i - j <= 127) | ((i - j) % 128 == 0))


def _fixed(b, h, i, j):
    return (j <= i) & ((i // 128 == j // 128) | (j % 128 >= 96))


def _window(b, h, i, j):
    return (j <= i) & (i - j <= 2048)


def _sinks(b, h, i, j):
    return (j <= i) & ((i - j <= 1019) | (j < 4))


def longnet_times(h, i, j):
    """How often LongNet's branches hold a pair."""
    held = [
        (i // width == j // width) & (i % width % rate == h % rate) & (j % width % rate == h % rate)
        for width, rate in SEGMENTS
    ]
    return sum(part.int() for part in held) * (j <= i)


def longnet(b, h, i, j):
    return longnet_times(h, i, j) > 0


def longnet_score(score, b, h, i, j):
    """What several branches hold counts several times."""
    return score + longnet_times(h, i, j).to(score.dtype).log()


def _bigbird(module: ModuleType, n: int, device: str) -> tuple[Mask, None]:
    """The blocks that the module's own draws visit."""
    blocks = module_blocks(module, n).to(device)

    def mask(b, h, i, j):
        return blocks[h, i // 64, j // 64]

    return mask, None


def module_blocks(module: ModuleType, n: int) -> torch.Tensor:
    """Which blocks of 64 each head visits: booleans [heads, n / 64, n / 64]; n in whole blocks."""
    at = torch.arange(0, n, 64)
    found = [
        launch.allowed(at[:, None], at[None, :], torch.tensor(n), *arguments)
        for launch, arguments in _arguments(module, n)
    ]
    return torch.stack([part.expand(1, module.HEADS, -1, -1) for part in found]).any(0)[0]


def _arguments(module: ModuleType, n: int):
    (group,) = module._GROUPS[0]
    members = module._heads_of(group, module.HEADS)
    for launch in group.passes:
        size = module._Size(n, n, False)
        tables = module._tables(launch, size, (), 0, members, torch.device("cpu"))
        yield launch, module._arguments(launch, tables, torch.device("cpu"))


def example(name: str) -> str:
    return (EXAMPLES / f"{name}.pat").read_text(encoding="utf-8")


CASES = {
    "local(256)": Case("local(256)", _plain(local)),
    "local(256, dilation=8)": Case("local(256, dilation=8)", _plain(dilated)),
    "longnet": Case(example("longnet"), lambda *_: (longnet, longnet_score), causal=True),
    "sparse strided": Case("(local(left=127) + strided(128)) & causal", _plain(strided), True),
    "sparse fixed": Case(
        "causal\nsegment(128) + columns(period(128, 96:128))", _plain(_fixed), True
    ),
    "longformer": Case("local(256) + global([0])", _plain(longformer)),
    "bigbird": Case(example("bigbird"), _bigbird),
    "causal local(2048)": Case("causal & local(2048)", _plain(_window), True),
    "streaming": Case("causal\ncolumns([0:4]) + local(left=1019)", _plain(_sinks), True),
}
