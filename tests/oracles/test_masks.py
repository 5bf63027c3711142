"""The meaning of our programs equals, pair for pair, what published code attends to."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from patternc.language import elaborate, parse
from patternc.semantics.mask import multiplicity
from tests.oracles.cases import MASKS, OracleCase, oracle_cases

README = Path(__file__).parent / "README.md"


def meaning(case: OracleCase) -> np.ndarray:
    """Counts [heads, queries, columns]."""
    program = elaborate(parse(case.text))
    patterns = [program.resolve(case.layer, head) for head in range(program.heads or 1)]
    counts = [
        multiplicity(
            patterns[head % len(patterns)],
            case.n,
            case.queries,
            case.inputs_of_head(head),
            case.sizes,
        )
        for head in range(case.heads)
    ]
    return np.stack(counts)


@pytest.mark.parametrize("case", oracle_cases(), ids=lambda case: case.name)
def test_program_attends_to_the_pairs_of_the_published_code(case):
    counts = meaning(case)
    assert np.array_equal(counts > 0, case.mask)
    if case.counts is not None:
        assert np.array_equal(counts, case.counts)
    if case.weights is not None:
        assert np.allclose(softmax(counts, case.scores), normalised(case.weights), atol=2e-6)


def softmax(counts: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return normalised(counts * np.exp(scores.astype(np.float64)))


def normalised(weights: np.ndarray) -> np.ndarray:
    """Rows that sum to 1: what unmasked padding takes is shared out."""
    total = weights.sum(axis=-1, keepdims=True, dtype=np.float64)
    return weights / np.where(total == 0, 1, total)


def test_some_cases_show_counts_and_some_show_weights():
    repeated = [case.name for case in oracle_cases() if case.counts is not None]
    assert any((case.counts > 1).any() for case in oracle_cases() if case.name in repeated)
    assert sum(case.weights is not None for case in oracle_cases()) >= 5


def test_the_readme_names_every_mask_of_the_folder_as_used():
    rows = re.findall(r"^\| `(\w[^`]*)` \|.*\| (used|out of scope)", README.read_text(), re.M)
    used = {name for name, verdict in rows if verdict == "used"}
    assert used == {path.stem for path in MASKS.glob("*.npz")}
    assert len(rows) == len(dict(rows))
