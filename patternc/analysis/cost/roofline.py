"""Rooflines: the lower bound on time a device takes for a layer, and what it was measured to take.

Maps the cost of a layer to seconds: the greater of its products at the device's peak and its bytes
at the bandwidth of its memory (Williams et al. 2009, "Roofline: an insightful visual performance
model"). Products are those of issued tiles where these are known. No kernel reaches a roofline; the
measured times that a folder of benchmark results holds appear next to it. Devices are data. Does
not model caches, launches or exponentials.
"""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from patternc.analysis.cost.layer_cost import BYTES, LayerCost, Workload
from patternc.frozen import frozen

HERE = Path(__file__).parent
CPU = "CPU"
# A core: two fused multiply-adds a cycle on so many floats, a nominal clock, a share of the memory.
_LANES = {"x86_64": 8, "AMD64": 8, "arm64": 4, "aarch64": 4}
_CLOCK, _CORE_BYTES = 2.5e9, 1e10
# 10 Gbit/s.
_ETHERNET = 1.25e9


@frozen
class Device:
    """Peaks: floating-point operations a second by data type, bytes a second.

    `link` and `network` are bytes a second that a device receives from others of its node, which
    has `node` of them, and from other nodes.
    """

    name: str
    title: str
    bytes_per_second: float
    products: tuple[tuple[str, float], ...]
    link: float
    network: float
    node: int

    def peak(self, dtype: str) -> float:
        return dict(self.products)[dtype]

    def bytes_between(self, ranks: int) -> float:
        """Bytes a second that one of so many devices receives."""
        return self.link if ranks <= self.node else self.network


@frozen
class Least:
    """Seconds that one pass takes at least, and what limits it."""

    seconds: float
    limit: Literal["products", "bytes"]


@frozen
class Measured:
    """Seconds of benchmark results; None where a pass was not measured."""

    forward: float | None
    backward: float | None


@frozen
class Roofline:
    """All layers on one device."""

    device: Device
    forward: Least
    backward: Least
    measured: Measured | None


@cache
def devices() -> tuple[Device, ...]:
    """Those of the table, and this computer's processor by its nominal numbers."""
    table = tomllib.loads((HERE / "devices.toml").read_text(encoding="utf-8"))["device"]
    return (*(_device(row) for row in table), _this_cpu())


def _device(row: dict[str, str | float]) -> Device:
    products = tuple((dtype, float(row[dtype])) for dtype in BYTES)
    own = str(row["name"]), str(row["title"]), float(row["bytes_per_second"]), products
    return Device(*own, float(row["link"]), float(row["network"]), int(row["node"]))


def _this_cpu() -> Device:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = platform.machine()
    peak = (cores or 1) * 4 * _LANES.get(machine, 4) * _CLOCK
    title = f"this computer: {cores} cores, {machine}, nominal"
    products = tuple((dtype, peak) for dtype in BYTES)
    return Device(CPU, title, (cores or 1) * _CORE_BYTES, products, _CORE_BYTES, _ETHERNET, 1)


def rooflines(
    layers: Sequence[LayerCost], work: Workload, measured: Mapping[str, Measured]
) -> tuple[Roofline, ...]:
    """One for every device; a layer starts when the one before it is done."""
    return tuple(
        Roofline(
            device,
            _least(
                device,
                [(cost.issued or cost.useful).forward for cost in layers],
                [cost.moved.forward for cost in layers],
                work,
            ),
            _least(
                device,
                [(cost.issued or cost.useful).backward for cost in layers],
                [cost.moved.backward for cost in layers],
                work,
            ),
            measured.get(device.name),
        )
        for device in devices()
    )


def _least(device: Device, products: list[int], moved: list[int], work: Workload) -> Least:
    computing = [count / device.peak(work.dtype) for count in products]
    moving = [count / device.bytes_per_second for count in moved]
    seconds = sum(map(max, computing, moving))
    return Least(seconds, "products" if sum(computing) >= sum(moving) else "bytes")


# --- measurements ---------------------------------------------------------------------------


def measurements(folder: Path, example: str, work: Workload) -> dict[str, Measured]:
    """Results of an example's first layer at this workload, by the name of the device.

    Files are JSON with a `device` and `rows` of example, n, head_dim, dtype, forward_ms and
    backward_ms; others, and those without a device, tell nothing.
    """
    wanted = {"example": example, "n": work.n, "head_dim": work.head_dim, "dtype": work.dtype}
    found = {}
    for device, row in _rows(folder):
        if all(row.get(name) == value for name, value in wanted.items()):
            found[device] = Measured(_seconds(row, "forward_ms"), _seconds(row, "backward_ms"))
    return found


def _rows(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("device"), str):
            for row in content.get("rows", []):
                yield content["device"], row


def _seconds(row: dict[str, object], name: str) -> float | None:
    value = row.get(name)
    return float(value) / 1e3 if isinstance(value, int | float) else None
