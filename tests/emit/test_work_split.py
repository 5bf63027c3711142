"""Long lines in pieces: the same attention, the same bits every time, and no long program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
import torch

from patternc import Pattern
from patternc.runtime.selftest import with_self_test
from patternc.schedule.work_split import limits
from tests.compiled import module_of_pattern
from tests.emit.dense import converted, detached
from tests.emit.test_cpu import module_of

Tensor = torch.Tensor

PATTERNS = {
    "global row and column": "local(9) + global([0])",
    "Longformer": "heads 2\nlocal(9) + global([0], projection=g)",
    "BigBird": "heads 2\nblocks(16) { local(1) + global([0, -1]) + random(2) }",
    "rows and columns apart": "rows([0, 3]) + columns([0, 70]) + local(1)",
    "all global": "global([0:100])",
    "sinks": "causal\ncolumns([0:4]) + local(left=19)",
    "windows by head": "heads 3\nlocal(5 + 3 * head) + global([0, -1])",
    "given at the call": "local(9) + global(question)",
    "stream": "(local(9) + full on stream(g, 40)) with relative(3)",
    "bias of distances": "(local(9) + global([0])) with t5(8, 20)",
    "dilated beside": "local(30, dilation=8) + global([0])",
    "branches": "heads 2\nmix(local(9) + global([0]), segment(16) + columns([3]))",
}


@pytest.fixture(autouse=True)
def poisoned() -> Iterator[None]:
    """Workspaces that nobody writes are NaN."""
    torch.set_deterministic_debug_mode("warn")
    yield
    torch.set_deterministic_debug_mode("default")


@contextmanager
def in_pieces(module: ModuleType, size: int) -> Iterator[None]:
    """Lines of more than `size` tiles are long, so that short sequences have some."""
    rule = module._limits
    module._limits = lambda *lines: (size, size)
    module._static_plan.cache_clear()
    yield
    module._limits = rule
    module._static_plan.cache_clear()


def sample(module: ModuleType, n: int, queries: int, **options: Any) -> dict[str, Any]:
    torch.manual_seed(n)
    q, k, v, inputs = with_self_test(module)._sample_call(n, queries, **options)
    return {"q": q, "k": k, "v": v, **inputs}


def graded(
    module: ModuleType, call: dict[str, Any], backend: str, dtype: torch.dtype, **options: Any
) -> list[Tensor]:
    """out, lse and the gradients of a function of both by all floating tensors.

    Outputs that are combined or of features have no lse: 0 instead.
    """
    given = {name: detached(converted(value, dtype)) for name, value in call.items()}
    groups = (group for groups in module._GROUPS for group in groups)
    combined = any(getattr(group, "combined", None) is not None for group in groups)
    combined |= hasattr(module, "_Features")
    made = module.attention(**given, **options, backend=backend, return_lse=not combined)
    out, lse = (made, made[..., 0] * 0) if combined else made
    parts = [part for leaf in given.values() for part in (leaf if type(leaf) is tuple else [leaf])]
    leaves = [part for part in parts if part.is_floating_point()]
    loss = (out * out).sum() + lse.masked_fill(~lse.isfinite(), 0).square().sum()
    found = torch.autograd.grad(loss, leaves, allow_unused=True)
    held = (leaf * 0 if part is None else part for part, leaf in zip(found, leaves, strict=True))
    return [out.detach(), lse.detach(), *held]


def assert_same(module: ModuleType, call: dict[str, Any], **options: Any) -> None:
    low = {name: converted(value, torch.float32) for name, value in call.items()}
    found = graded(module, low, "triton", torch.float32, **options)
    wanted = graded(module, low, "reference", torch.float64, **options)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=5e-5, atol=5e-5, equal_nan=True)


@pytest.mark.parametrize("name", PATTERNS)
def test_attention_and_gradients_in_pieces_are_those_of_the_reference(name: str) -> None:
    module = module_of(PATTERNS[name])
    with in_pieces(module, 1):
        assert_same(module, sample(module, 61, 29))


@pytest.mark.parametrize("name", ["global row and column", "BigBird", "branches"])
@pytest.mark.parametrize(("n", "queries"), [(1, 1), (21, 30), (33, 33)])
def test_of_one_token_of_fewer_tokens_than_queries_and_of_odd_lengths(
    name: str, n: int, queries: int
) -> None:
    module = module_of(PATTERNS[name])
    with in_pieces(module, 1):
        assert_same(module, sample(module, n, queries))


def test_rows_of_a_stream_that_see_all_tokens() -> None:
    """As ETC's global tokens: two query tiles that visit every key tile."""
    text = "local(9) + full on stream(g, 40)\n\nrows g\nfull + full on stream(g, 40)"
    module = module_of_pattern(Pattern.parse(text), tiles=(32, 16))
    with in_pieces(module, 2):
        assert_same(module, sample(module, 61, 0, rows="g"), rows="g")


def test_query_heads_that_share_keys_add_their_pieces_in_turn() -> None:
    module = module_of("heads 4\nlocal(9) + global([0])")
    call = sample(module, 61, 61)
    call |= {name: call[name][:, :2] for name in ("k", "v")}
    with in_pieces(module, 2):
        assert_same(module, call)


def test_dropout_drops_the_same_pairs_in_pieces() -> None:
    module = module_of("local(9) + global([0, -1])")
    with in_pieces(module, 2):
        assert_same(module, sample(module, 61, 61), dropout=0.3, seed=7)


def test_sets_of_a_batch_have_pieces_of_their_own() -> None:
    module = module_of("local(3) + global(question)")
    call = sample(module, 61, 61)
    call["question"] = torch.zeros(2, 61, dtype=torch.bool)
    call["question"][0, 5] = call["question"][1, 40] = True
    with in_pieces(module, 4):
        assert_same(module, call)


@pytest.mark.parametrize("sizes", [(24, 40), (80, 16)])
def test_head_sizes_that_are_no_power_of_two(sizes: tuple[int, int]) -> None:
    module = module_of("local(9) + global([0])")
    q, k, v, _ = (torch.randn(1, 2, 50, size).double() for size in (*sizes[:1] * 2, *sizes[1:], 1))
    with in_pieces(module, 1):
        assert_same(module, {"q": q, "k": k, "v": v})


def test_the_bits_are_the_same_every_time() -> None:
    module = module_of(PATTERNS["BigBird"])
    call = sample(module, 61, 61)
    with in_pieces(module, 1):
        first, second = (graded(module, call, "triton", torch.float32) for _ in range(2))
    assert all(map(torch.equal, first, second))


def test_the_number_of_pieces_changes_rounding_alone() -> None:
    module = module_of(PATTERNS["rows and columns apart"])
    call, found = sample(module, 61, 61), []
    for size in (1 << 20, 2, 1):
        with in_pieces(module, size):
            found.append(graded(module, call, "triton", torch.float32))
    for one, *others in zip(*found, strict=True):
        for other in others:
            torch.testing.assert_close(one, other, rtol=2e-5, atol=2e-5)
    assert not all(map(torch.equal, found[0], found[2]))


@pytest.mark.parametrize("text", ["local(256)", "causal", "local(64, dilation=8)", "full"])
def test_patterns_without_long_lines_have_nothing_of_it(text: str) -> None:
    source = Pattern.parse(text).compile()
    assert "SPLIT" not in source
    assert "_Cutting" not in source


def test_the_rule_is_that_of_the_schedule() -> None:
    module = module_of(PATTERNS["global row and column"])
    for total, median, lines in [(14_000, 11, 1024), (8192, 2048, 4), (2048, 0, 1024), (1, 0, 1)]:
        assert module._limits(total, median, lines) == tuple(limits(total, median, lines))


@pytest.mark.parametrize("example", ["longformer", "bigbird", "streaming_llm"])
def test_no_program_visits_many_more_tiles_than_the_others(example: str) -> None:
    """Of output and dq, and of dk and dv, at 32K tokens: the longest before had all tiles."""
    module = module_of_pattern(Pattern.from_zoo(example), layer=0)
    n, device = 1 << 15, torch.device("cpu")
    size, found = module._Size(n, n), []
    for group in module._GROUPS[0]:
        members = module._heads_of(group, module.HEADS or 1)
        for launch in group.passes:
            tables = module._tables(launch, size, (), 0, members, device)
            for rows in (True, False):
                turns = (tuple(range(len(members))),)
                cut = module._Cutting(rows, False, 1, turns)(launch, tables, 0, size, device)
                for lists in (cut.short, *cut.long):
                    visits = module._visits(lists.full) + module._visits(lists.partial)
                    found.append((int(visits.max()), bool(cut.long)))
    assert any(long for _, long in found)
    assert max(most for most, _ in found) <= 4 * 17
