"""Masks observed in other people's code, each with the same pattern as a program of ours.

Maps `masks/*.npz` to `OracleCase`s; `models.py`, `libraries.py` and `grids.py` write the programs
from the configuration that each file records. Leaves out what the README lists as out of scope.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

# These modules register their writers.
from tests.oracles import grids, libraries, models, speech, systems  # noqa: F401 - their writers are registered
from tests.oracles.writers import Observed, Written, program_of

MASKS = Path(__file__).parent / "masks"


@dataclass(frozen=True, slots=True)
class OracleCase:
    """One file: the program, what it is called with, and what the other code attended to.

    `inputs` are as at a call: lists integers [heads, rows, k], others of heads [1, heads, ..],
    sets booleans [n], labels [n];
    `sizes` the slots of key sources that only a call knows. `mask` is booleans [heads, queries,
    columns], columns as the text names the sources. `counts` (integers of the same shape) are
    there where the implementation shows how often a pair counts; `weights` with `scores` where it
    shows only the softmax, which is then proportional to multiplicity * exp(scores).
    """

    name: str
    text: str
    layer: int
    heads: int
    n: int
    queries: int
    mask: np.ndarray
    inputs: dict[str, np.ndarray] = field(default_factory=dict)
    counts: np.ndarray | None = None
    weights: np.ndarray | None = None
    scores: np.ndarray | None = None
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def on_tokens(self) -> bool:
        """No key source but the tokens."""
        return " on " not in self.text

    def inputs_of_head(self, head: int) -> dict[str, np.ndarray]:
        """The run-time inputs as one head sees them: lists integers [rows, k]."""
        return {name: self._of_head(value, head) for name, value in self.inputs.items()}

    def _of_head(self, value: np.ndarray, head: int) -> np.ndarray:
        """Of [heads, ..], or of one batch element [1, heads, ..]."""
        if value.ndim < 3:
            return value
        return value[0, head] if len(value) == 1 < self.heads else value[head]


@cache
def oracle_cases() -> tuple[OracleCase, ...]:
    """Every mask of the folder, by name."""
    return tuple(case_of(path) for path in sorted(MASKS.glob("*.npz")))


def case_of(path: Path) -> OracleCase:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    written = program_of(Observed(path.stem, meta, meta["config"], arrays))
    mask = observed_mask(arrays["mask"], written)
    heads, queries, n = mask.shape
    return OracleCase(
        name=path.stem,
        text=written.text,
        layer=written.layer,
        heads=heads,
        n=n if written.tokens is None else written.tokens,
        queries=queries,
        mask=mask,
        inputs=written.inputs,
        counts=counts_of(arrays, written, mask),
        weights=arrays["weights"] if written.softmax else None,
        scores=arrays["scores"] if written.softmax else None,
        sizes=written.sizes,
    )


def observed_mask(recorded: np.ndarray, written: Written) -> np.ndarray:
    """The columns of the program; rows of padding that the file leaves out are empty."""
    columns = slice(None) if written.columns is None else written.columns
    mask = tokens(recorded, written.block)[:, written.rows or slice(None)][:, :, columns]
    return np.pad(mask, ((0, 0), (0, written.padding), (0, 0)))


def counts_of(
    arrays: dict[str, np.ndarray], written: Written, mask: np.ndarray
) -> np.ndarray | None:
    """Recorded counts, or weights of equal scores in units of the row's least weight."""
    if written.counts is not None:
        blocks = tokens(written.counts, written.count_block)
        return blocks[:, : mask.shape[1], : mask.shape[2]] * mask
    if not written.counted:
        return None
    weights = np.where(mask, arrays["weights"], np.inf)
    least = weights.min(axis=-1, keepdims=True)
    return np.where(mask, np.rint(weights / least), 0).astype(np.int64)


def tokens(blocks: np.ndarray, block: int) -> np.ndarray:
    return blocks.repeat(block, axis=1).repeat(block, axis=2)
