"""Tables and tiles that a module makes itself, against the compiler's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from patternc import Pattern
from patternc.ir.formula import Constant
from patternc.ir.terms import Listing, PositionRange, Random
from patternc.semantics.random_tables import draw
from tests.emit.patterns import inputs_of, module_of, pattern_of


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
        found = slot.build(module._Size(n, n, False), torch.device("cpu"), {}, 0, (0,))
        random = Random(count, pool, seed, layer, head, avoid=None, past_only=past)  # type: ignore[arg-type]
        wanted = draw(random, n, np.arange(n), nothing_avoided)
        assert np.array_equal(found[0, 0].numpy(), wanted)


def test_draws_do_not_depend_on_how_many_rows_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("draws")
    whole = module.mask(200)
    module._static_table.cache_clear()
    module._static_draws.cache_clear()
    monkeypatch.setattr(module, "_CANDIDATES", 7)
    assert torch.equal(module.mask(200), whole)


@pytest.mark.parametrize("name", ["draws", "draws of the past"])
def test_a_decoder_draws_for_the_rows_that_ask_and_for_no_others(name: str) -> None:
    module = module_of(name)
    launch = next(x for x in module._GROUPS[0][0].passes if x.tables)
    heads, block = module._heads_of(module._GROUPS[0][0], 3), launch.tables[0].block

    def table(n: int, queries: int) -> torch.Tensor:
        size = module._Size(n, n, first=n - queries)
        (found,) = module._tables(launch, size, (), 0, heads, torch.device("cpu"))
        return found

    for n, queries in ((200, 1), (200, 33), (201, 1), (208, 208)):
        whole, asked = table(n, n), (n - queries) // block
        assert (table(n, queries)[:, :, :asked] == -1).all()
        assert torch.equal(table(n, queries)[:, :, asked:], whole[:, :, asked:])
        assert (whole >= 0).any()


def test_steps_of_a_decoder_within_a_block_draw_once() -> None:
    module = module_of("draws")
    q, k = torch.randn(1, 3, 1, 8), torch.randn(1, 3, 64, 8)
    module._static_draws.cache_clear()
    for n in range(49, 65):
        module.attention(q, k[:, :, :n], k[:, :, :n])
    assert module._static_draws.cache_info().misses == 1


def visited(name: str, n: int, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """How often the first head's plan lists each tile: integers [query tiles, key tiles]."""
    module, device = module_of(name), torch.device("cpu")
    launch, heads = module._GROUPS[0][0].passes[0], module._heads_of(module._GROUPS[0][0], 2)
    size = module._Size(n, n, False)
    tables = module._tables(launch, size, list(inputs.values()), 0, heads, device)
    plan = module._make_plan(launch, tables, 0, size, device)
    tiles = torch.zeros(plan.tiles, -(-n // module.KEY_TILE), dtype=torch.int64)
    for lists in (plan.full, plan.partial):
        offset, start, stop = (part.tolist() for part in lists)
        for row in range(plan.tiles):
            for run in range(offset[row], offset[row + 1]):
                tiles[row, start[run] : stop[run]] += 1
    return tiles


def needed(name: str, n: int, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Tiles that hold a pair of the first head."""
    module = module_of(name)
    rows, keys = -(-n // module.QUERY_TILE), -(-n // module.KEY_TILE)
    mask = torch.zeros(rows * module.QUERY_TILE, keys * module.KEY_TILE, dtype=torch.bool)
    mask[:n, :n] = module.mask(n, **inputs)[0]
    return mask.view(rows, module.QUERY_TILE, keys, module.KEY_TILE).any(3).any(1)


@pytest.mark.parametrize(
    "name",
    ["draws", "draws of the past", "documents", "questions by position", "lists", "permutations"],
)
@pytest.mark.parametrize("n", [200, 512])
def test_every_tile_with_a_pair_is_visited_once_and_no_other(name: str, n: int) -> None:
    inputs = inputs_of(name, n, 2)
    assert torch.equal(visited(name, n, inputs), needed(name, n, inputs).long())


def test_plans_without_inputs_are_made_once() -> None:
    module = module_of("band and tokens")
    module._static_plan.cache_clear()
    q = torch.randn(1, 2, 40, 8)
    module.attention(q, q, q)
    module.attention(q, q, q)
    assert module._static_plan.cache_info().misses == 1
    assert pattern_of("band and tokens").heads == 2


ON_SLOTS = [
    "random(2, pool=:n // 8) on stream(g, 9)",
    "random(2, pool=-3:n // 8) on memory(9)",
    "random(2, pool=[3, 1, -2]) on compressed(9, rate=2)",
    "blocks(2) { random(2, pool=[-1, -3, -2]) } on memory(7)",
    "columns([0, 2, 4, 6, 8, n // 8]) on compressed(9, rate=2)",
    "columns([-1, -3, -5, -7, -9, 2]) on memory(9)",
    "columns([1, 3, 5, 7, 9, n // 2, -1]) on encoder",
]


@pytest.mark.parametrize("text", ON_SLOTS)
@pytest.mark.parametrize("slots", [{"encoder": 40}, {"encoder": 12, "memory": 3, "compressed": 4}])
def test_positions_of_slots_are_those_of_the_meaning(text: str, slots: dict[str, int]) -> None:
    pattern = Pattern.parse(text)
    found = pattern.module.mask(33, slots=slots).numpy()
    assert np.array_equal(found, pattern.mask(33, slots=slots))
    assert found.any()
