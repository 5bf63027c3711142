"""Tables and tiles that a module makes itself, against the compiler's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc.language.terms import HeadPattern, Listing, PositionRange, Random
from patternc.language.formula import Constant
from patternc.relation.random_tables import draw
from tests.emit.patterns import module_of, pattern_of


def nothing_avoided(rows: np.ndarray, keys: np.ndarray) -> np.ndarray:
    return np.zeros(np.broadcast_shapes(rows.shape, keys.shape), bool)


@pytest.mark.parametrize("n", [1, 2, 60, 300])
@pytest.mark.parametrize("seed", [0, 7, -3, 2**40 + 1])
def test_draws_are_bit_for_bit_those_of_the_compiler(n: int, seed: int) -> None:
    module = module_of("draws of the past")
    pool = Listing((PositionRange(Constant(0), None),))
    for layer, head, count, past in ((0, 0, 3, False), (11, 7, 5, True)):
        slot = module._Random(
            count=count,
            pool=lambda length: [(0, length)],
            seed=seed,
            heads=(head,),
            layer=layer,
            past_only=past,
        )
        found = slot.build(n, torch.device("cpu"), {}, 0, (0,))
        random = Random(count, pool, seed, layer, head, avoid=None, past_only=past)  # type: ignore[arg-type]
        wanted = draw(random, n, np.arange(n), nothing_avoided)
        assert np.array_equal(found[0, 0].numpy(), wanted)


def test_draws_do_not_depend_on_how_many_rows_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("draws")
    whole = module.mask(200)
    module._static_table.cache_clear()
    monkeypatch.setattr(module, "_CANDIDATES", 7)
    assert torch.equal(module.mask(200), whole)


def tiles_of(module: object, n: int, inputs: dict[str, torch.Tensor]) -> tuple[int, int]:
    """How many tiles the first pass of a module visits, full and partial."""
    ((group, *_),) = module._GROUPS  # type: ignore[attr-defined]
    launch, heads = group.passes[0], module._heads_of(group, 2)  # type: ignore[attr-defined]
    device = torch.device("cpu")
    tables = module._tables(launch, n, list(inputs.values()), 0, heads, device)  # type: ignore[attr-defined]
    plan = module._make_plan(launch, tables, 0, n, device)  # type: ignore[attr-defined]
    return tuple(int((lists.stop - lists.start).sum()) for lists in (plan.full, plan.partial))  # type: ignore[return-value]


def test_documents_visit_only_tiles_where_labels_meet() -> None:
    document = torch.arange(512) // 64
    full, partial = tiles_of(module_of("documents"), 512, {"document": document})
    # Two query tiles and four key tiles a document, causal: 2 + 4 tiles each.
    assert (full, partial) == (0, 8 * (2 + 4))


def test_a_run_time_set_visits_only_the_tiles_of_its_members() -> None:
    none = torch.zeros(512, dtype=torch.bool)
    one = none.clone()
    one[300] = True
    module = module_of("draws beside a set")
    ((group,),) = module._GROUPS
    assert group.passes[0].tables
    few, many = (
        sum(tiles_of(module_of("questions by position"), 512, {"question": chosen}))
        for chosen in (none, one)
    )
    # Besides the band: a row of 32 key tiles and a column of 16 query tiles.
    band_in_row, band_in_column = 4, 2
    assert many - few == 32 + 16 - 1 - (band_in_row - 1) - (band_in_column - 0)


def test_lists_visit_only_the_tiles_they_name() -> None:
    plan = torch.full((32, 2), -1)
    module = module_of("lists")
    none = sum(tiles_of(module, 512, {"plan": plan}))
    plan[0, 0], plan[31, 1] = 20, 3
    assert sum(tiles_of(module, 512, {"plan": plan})) == none + 2


def test_plans_without_inputs_are_made_once() -> None:
    module = module_of("band and tokens")
    module._static_plan.cache_clear()
    q = torch.randn(1, 2, 40, 8)
    module.attention(q, q, q)
    module.attention(q, q, q)
    assert module._static_plan.cache_info().misses == 1
    assert pattern_of("band and tokens").heads == 2
