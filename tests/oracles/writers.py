"""How the writers of programs are found: by the longest prefix of an oracle file's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Observed:
    """What a file records: its name, its meta data and its arrays."""

    name: str
    meta: dict[str, Any]
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def heads(self) -> int:
        return int(self.meta["heads"])


@dataclass(frozen=True, slots=True)
class Written:
    """A program and how to compare it.

    The file's mask has one entry for `block` tokens; `counts` one for `count_block`. `counted`:
    the weights show counts; `softmax`: they show counts times exp(scores).

    A pattern with key sources says how many `tokens` there are and the `sizes` that only a call
    knows; its columns and rows are all, or the `columns` and `rows`, of the file. The file leaves
    out `padding` rows at the end, which are empty.
    """

    text: str
    layer: int = 0
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    block: int = 1
    counts: np.ndarray | None = None
    count_block: int = 1
    counted: bool = False
    softmax: bool = False
    tokens: int | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    columns: slice | tuple[int, ...] | None = None
    rows: slice | None = None
    padding: int = 0


Writer = Callable[[Observed], Written]
WRITERS: dict[str, Writer] = {}


def writes(*prefixes: str) -> Callable[[Writer], Writer]:
    """Files whose names begin with one of `prefixes`; the longest match counts."""

    def register(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(prefixes, writer))
        return writer

    return register


def program_of(observed: Observed) -> Written:
    prefix = max((p for p in WRITERS if observed.name.startswith(p)), key=len)
    return WRITERS[prefix](observed)


def lines(*parts: str) -> str:
    return "\n".join(parts) + "\n"


def rules(variable: str, patterns: list[str], *headers: str) -> str:
    """One pattern for each layer (head), by number."""
    *first, last = patterns
    chosen = [f"{variable} == {at} -> {pattern}" for at, pattern in enumerate(first)]
    return lines(*headers, f"{variable}s {len(patterns)}", *chosen, f"else -> {last}")


def labels(valid: int, n: int) -> np.ndarray:
    """One document of `valid` tokens and padding that belongs to none."""
    return np.where(np.arange(n) < valid, 0, -1)
