"""Receptive fields against dense Boolean products, and against what the papers' stacks are known for."""

from __future__ import annotations

from pathlib import Path

import pytest

from patternc import Pattern
from patternc.analysis.reach import Reach, reach
from patternc.relation.errors import LengthError
from tests.analysis.dense_reach import dense_reach

EXAMPLES = sorted(Path("examples").glob("*.pat"))
LENGTHS = (1, 2, 3, 17, 63, 64, 65, 129, 257)
DECIDED_AT_THE_CALL = ("labels", "set", "listed")


def reach_of(pattern: Pattern, n: int, layers: int, residual: bool = True) -> Reach:
    count = min(pattern.layers or 1, max(layers, 1))
    relations = [pattern.relations(layer) for layer in range(count)]
    return reach(relations, n, layers, residual=residual)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_fields_of_examples_are_those_of_boolean_products(path: Path) -> None:
    pattern = Pattern.load(path)
    if any(item.role in DECIDED_AT_THE_CALL for item in pattern.inputs):
        pytest.skip("the call decides which pairs there are")
    layers = min((pattern.layers or 2) + 1, 4)
    for n in LENGTHS:
        try:
            wanted = dense_reach(pattern, n, layers)
        except LengthError:
            continue
        found = reach_of(pattern, n, layers)
        assert (found.layers, found.full_at) == (wanted.layers, wanted.full_at), n
