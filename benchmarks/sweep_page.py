"""The page of a sweep: what binaries use, by kind of kernel and by example, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from patternc.runtime.cubin_stats import CubinStats

_KINDS = {
    "forward": "output",
    "d_queries": "dq",
    "d_keys": "dk and dv",
    "d_tables": "score tables",
    "delta": "delta",
    "collected": "output from pieces",
    "collected_queries": "dq from pieces",
    "collected_keys": "dk from pieces",
    "collected_values": "dv from pieces",
}
_LEGEND = (
    "Registers are those of a thread, median and most; shared memory that of a program, at most. "
    "Instructions per product count all of a kernel's against those that multiply matrices. Spills "
    "are instructions that access local memory (gfx942: registers kept there). In turn are kernels "
    "whose products wait for each other (sm_90)."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One distinct kernel for a target and a head size, and the examples that have it."""

    target: str
    head_dim: int
    examples: tuple[str, ...]
    binary: CubinStats


def page(rows: Sequence[Row], header: dict[str, object]) -> str:
    """The whole page; `header` says when and with what."""
    lines = [
        f"# What the binaries use, {header['date']}",
        "",
        f"`python benchmarks/sweep.py`, Triton {header['triton']}, {header['dtype']}. {_LEGEND}",
        "",
        *_by_kind(rows),
    ]
    for target in _distinct(row.target for row in rows):
        lines += ["", f"## {target}, by example", "", *_by_example(rows, target)]
    return "\n".join(lines) + "\n"


def _by_kind(rows: Sequence[Row]) -> list[str]:
    titles = ["target", "head size", "kernels", "number", "registers", "shared memory"]
    titles += ["unit", "instructions per product", "spilling", "most spills", "in turn"]
    lines = _table_head(titles)
    for target in _distinct(row.target for row in rows):
        for head_dim in _distinct(row.head_dim for row in rows):
            for kind, name in _KINDS.items():
                found = [
                    row.binary
                    for row in rows
                    if (row.target, row.head_dim, row.binary.kind) == (target, head_dim, kind)
                ]
                if found:
                    lines.append(_line([target, head_dim, name, *_summary(found)]))
    return lines


def _summary(found: Sequence[CubinStats]) -> list[object]:
    registers, spills = [item.registers for item in found], [item.spills for item in found]
    units = _distinct(item.tensor_core for item in found if item.tensor_core)
    return [
        len(found),
        f"{median(registers):.0f}, {max(registers)}",
        f"{max(item.shared_bytes for item in found) / 1024:.0f} KB",
        ", ".join(units),
        _per_product(found),
        sum(count > 0 for count in spills),
        max(spills),
        sum(item.in_turn for item in found),
    ]


def _per_product(found: Sequence[CubinStats]) -> str:
    ratios = [item.instructions / item.products for item in found if item.products]
    return f"{median(ratios):.0f}" if ratios else ""


def _by_example(rows: Sequence[Row], target: str) -> list[str]:
    """A cell: most registers, most shared memory, instructions per product, spills."""
    head_dims = _distinct(row.head_dim for row in rows if row.target == target)
    sizes = [f"head size {head_dim}" for head_dim in head_dims]
    lines = ["Most registers / most shared memory / instructions per product / most spills.", ""]
    lines += _table_head(["example", "kernels", *sizes])
    own = [row for row in rows if row.target == target]
    for example in sorted({name for row in own for name in row.examples}):
        has = [row for row in own if example in row.examples]
        cells = [_cell([row.binary for row in has if row.head_dim == size]) for size in head_dims]
        counts = {row.head_dim: 0 for row in has}
        for row in has:
            counts[row.head_dim] += 1
        lines.append(_line([example, max(counts.values()), *cells]))
    return lines


def _cell(found: Sequence[CubinStats]) -> str:
    if not found:
        return ""

    def most(of: Callable[[CubinStats], int]) -> int:
        return max(map(of, found))

    shared = most(lambda item: item.shared_bytes) / 1024
    registers, spills = most(lambda item: item.registers), most(lambda item: item.spills)
    return f"{registers} / {shared:.0f} KB / {_per_product(found)} / {spills}"


def _distinct(values: Iterable[object]) -> list[object]:
    return list(dict.fromkeys(values))


def _table_head(titles: Sequence[str]) -> list[str]:
    return [_line(titles), "|" + "---|" * len(titles)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
