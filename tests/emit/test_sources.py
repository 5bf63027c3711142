"""Key sources, projections of rows and combined outputs, against attention written down by hand."""

from __future__ import annotations

import pytest
import torch

from patternc.runtime.selftest import with_self_test
from tests.emit.dense import (
    EXACT,
    GRADED,
    WAYS,
    Call,
    Case,
    Tensor,
    assert_computes,
    assert_differentiates,
    compiled,
    draw,
    named,
)


def window(call: Call) -> Tensor:
    """local(left=9, right=3)."""
    return (call.distance >= -9) & (call.distance <= 3)


def everything(call: Call, slots: int) -> Tensor:
    return torch.ones(call.queries, slots, dtype=torch.bool)


def windowed(call: Call) -> tuple[Tensor, Tensor, Tensor]:
    """The part of local(left=9, right=3)."""
    return call.scores(), window(call), call.v


def beside_window(call: Call, pair: tuple[Tensor, Tensor]) -> Tensor:
    """One softmax over a window and all slots of a source."""
    keys, values = pair
    seen = everything(call, keys.shape[-2])
    return call.softmax(windowed(call), (call.scores(keys), seen, values))[0]


def with_memory(call: Call, slots: int) -> Case:
    keys, values = call.pair(slots)
    before = torch.arange(-slots, 0)[None, :]
    out, _ = call.softmax(
        (call.scores(), (call.distance <= 0) & (call.distance >= -11), call.v),
        (call.scores(keys), (before >= call.i - 25) & (before <= call.i), values),
    )
    text = "causal\nlocal(left=11) + local(left=25) on memory(24)"
    return Case(text, out, {"memory_kv": (keys, values)})


def memory(call: Call) -> Case:
    return with_memory(call, 24)


def memory_not_yet_full(call: Call) -> Case:
    return with_memory(call, 7)


def memory_of_nothing(call: Call) -> Case:
    return with_memory(call, 0)


def compressed(call: Call) -> Case:
    pair = call.pair(5)
    text = "local(left=9, right=3) + full on compressed(6, rate=4)"
    return Case(text, beside_window(call, pair), {"compressed_kv": pair})


def recurrence(call: Call) -> Case:
    """Tokens, memory and compressed memory under one softmax."""
    new, old = call.pair(20), call.pair(5)
    out, _ = call.softmax(
        (call.scores(), call.distance <= 0, call.v),
        (call.scores(new[0]), everything(call, 20), new[1]),
        (call.scores(old[0]), everything(call, 5), old[1]),
    )
    text = "causal\nfull + full on memory(20) + full on compressed(8, rate=2)"
    return Case(text, out, {"memory_kv": new, "compressed_kv": old})


def windows(n: int, size: int, stride: int, tail: str) -> list[tuple[int, int]]:
    """Where pooled windows start and stop."""
    whole = [(start, start + size) for start in range(0, n - size + 1, stride)]
    covered = whole[-1][1] if whole else 0
    match tail:
        case "clip" if max(covered, len(whole) * stride) < n:
            return [*whole, (len(whole) * stride, n)]
        case "merge" if whole:
            return [*whole[:-1], (whole[-1][0], n)]
        case _:
            return whole


def pooled(call: Call, operation: str, size: int, stride: int, tail: str, header: str) -> Case:
    spans = windows(call.n, size, stride, tail)
    reduce = {"mean": torch.mean, "sum": torch.sum, "max": torch.amax}[operation]
    keys, values = (
        torch.stack([reduce(part[:, :, a:b], 2) for a, b in spans], 2) if spans else part[:, :, :0]
        for part in (call.k, call.v)
    )
    available = torch.tensor([stop - 1 for _, stop in spans])[None, :] <= call.i
    past = call.distance <= 0
    if not header:
        available, past = torch.ones_like(available), torch.ones_like(past)
    out, _ = call.softmax(
        (call.scores(), window(call) & past, call.v), (call.scores(keys), available, values)
    )
    pool = f"pool({size}, {operation}, stride={stride}, tail={tail})"
    return Case(f"{header}local(left=9, right=3) + full on {pool}", out)


def pool_of_whole_windows(call: Call) -> Case:
    return pooled(call, "mean", 8, 6, "drop", "")


def pool_of_the_past(call: Call) -> Case:
    return pooled(call, "mean", 8, 6, "clip", "causal\n")


def pool_of_whole_windows_of_the_past(call: Call) -> Case:
    return pooled(call, "sum", 4, 4, "drop", "causal\n")


def pool_with_leftovers(call: Call) -> Case:
    return pooled(call, "sum", 8, 8, "merge", "")


def pool_with_leftovers_of_overlaps(call: Call) -> Case:
    return pooled(call, "max", 7, 3, "merge", "")


def pool_with_a_short_window(call: Call) -> Case:
    return pooled(call, "max", 4, 7, "clip", "")


def pool_given_at_the_call(call: Call) -> Case:
    pair = call.pair(-(-call.n // 4))
    text = "local(left=9, right=3) + full on pool(4, mean)"
    return Case(text, beside_window(call, pair), {"pool_kv": pair})


def persistent(call: Call) -> Case:
    pair = tuple(part[0] for part in call.pair(5))
    text = "local(left=9, right=3) + full on persistent(5)"
    return Case(text, beside_window(call, pair), {"persistent_kv": pair})


def stream(call: Call) -> Case:
    pair = call.pair(5)
    text = "local(left=9, right=3) + full on stream(sentences, 5)"
    return Case(text, beside_window(call, pair), {"sentences_kv": pair})


def project(call: Call) -> Case:
    weights = draw(6, call.n) / 8, draw(6, call.n) / 8
    keys, values = weights[0] @ call.k, weights[1] @ call.v
    out, _ = call.softmax((call.scores(keys), everything(call, 6), values))
    return Case("full on project(6)", out, {"project_weights": weights})


def encoder(call: Call) -> Case:
    """On the encoder a query's position is its row."""
    (keys, values), row = call.pair(20), torch.arange(call.queries)[:, None]
    distance = torch.arange(20) - row
    seen = (distance >= -3) & (distance <= 5)
    out, _ = call.softmax(windowed(call), (call.scores(keys), seen, values))
    text = "local(left=9, right=3) + local(left=3, right=5) on encoder"
    return Case(text, out, {"encoder_kv": (keys, values)})


def encoder_by_head(call: Call) -> Case:
    """Query heads that share a key head see different slots of it."""
    (keys, values), head = call.pair(20), torch.arange(call.heads)[:, None, None]
    seen = (torch.arange(20) % 3 == head % 3).expand(-1, call.queries, -1)
    out, _ = call.softmax(windowed(call), (call.scores(keys), seen, values))
    text = "heads 2\nlocal(left=9, right=3) + where(j % 3 == head % 3) on encoder"
    return Case(text, out, {"encoder_kv": (keys, values)})


def rows_without_keys(call: Call) -> Case:
    keys, values = call.pair(20)
    row = torch.arange(call.queries)[:, None]
    seen = (torch.arange(20)[None, :] < 8) & (row % 3 == 0)
    out, _ = call.softmax((call.scores(keys), seen, values))
    text = "allow empty\nwhere(i % 3 == 0 and j < 8) on encoder"
    return Case(text, out, {"encoder_kv": (keys, values)})


def projection(call: Call) -> Case:
    own = Call(draw(*call.q.shape), draw(*call.k.shape), draw(*call.v.shape))
    rows = (call.i == 0) | (call.i == 40)
    columns = ((call.j == 0) | (call.j == 40)) & (call.i >= 0)
    seen = window(call) | rows | columns
    ordinary, _ = call.softmax((call.scores(), seen, call.v))
    out, _ = own.softmax((own.scores(), seen, own.v))
    text = "local(left=9, right=3) + global([0, 40], projection=g)"
    return Case(text, out.where(rows, ordinary), {"g": (own.q, own.k, own.v)})


def projection_of_slots(call: Call) -> Case:
    """Rows with projections of their own pool their own keys."""
    own = Call(draw(*call.q.shape), draw(*call.k.shape), draw(*call.v.shape))
    rows = (call.i >= 0) & (call.i < 4)
    ordinary, special = (_over_halves(each) for each in (call, own))
    text = "local(left=9, right=3) + full on pool(2, mean) + rows([0:4], projection=g)"
    return Case(text, special.where(rows, ordinary), {"g": (own.q, own.k, own.v)})


def _over_halves(call: Call) -> Tensor:
    """One softmax over a window, the first four rows in full, and pairs of positions pooled."""
    seen = window(call) | ((call.i >= 0) & (call.i < 4))
    starts = range(0, call.n, 2)
    keys, values = (
        torch.stack([part[:, :, a : a + 2].mean(2) for a in starts], 2) for part in (call.k, call.v)
    )
    return call.softmax(
        (call.scores(), seen, call.v), (call.scores(keys), everything(call, len(starts)), values)
    )[0]


def by_stride(call: Call) -> Tensor:
    return call.softmax((call.scores(), call.distance % 5 == 0, call.v))[0]


def gate(call: Call) -> Case:
    share = torch.tensor([0.25, 0.75]).double()
    weight = share[:, None, None]
    out = call.softmax(windowed(call))[0] * (1 - weight) + by_stride(call) * weight
    text = "gate(local(left=9, right=3), strided(5), name=share)"
    return Case(text, out, {"share": share})


def gate_of_three(call: Call) -> Case:
    shares, pair = draw(3, 2), call.pair(20)
    slots, _ = call.softmax((call.scores(pair[0]), everything(call, 20), pair[1]))
    parts = torch.stack([call.softmax(windowed(call))[0], by_stride(call), slots])
    out = (parts * shares[:, None, :, None, None]).sum(0)
    text = "gate(local(left=9, right=3), strided(5), full on encoder)"
    return Case(text, out, {"gate": shares, "encoder_kv": pair})


def outputs_added(call: Call) -> Case:
    out = call.softmax(windowed(call))[0] + by_stride(call)
    return Case("sum(local(left=9, right=3), strided(5))", out)


def mean_of_branches_with_keys(call: Call) -> Case:
    row = (call.i == 3).expand(-1, call.n)
    out = call.softmax(windowed(call))[0] + call.softmax((call.scores(), row, call.v))[0]
    count = window(call).any(-1).int() + row.any(-1).int()
    text = "mean(local(left=9, right=3), rows([3]))"
    return Case(text, out / count.clamp(min=1)[:, None])


def gate_of_one_head(call: Call) -> Case:
    share = torch.tensor([0.25, 0.75]).double()
    alone = call.softmax(windowed(call))[0]
    out = torch.stack([0.75 * alone[:, 0] + 0.25 * by_stride(call)[:, 0], alone[:, 1]], 1)
    text = (
        "heads 2\nhead == 0 -> gate(local(left=9, right=3), strided(5), name=share)\n"
        "else -> local(left=9, right=3)"
    )
    return Case(text, out, {"share": share})


def mix_of_sources(call: Call) -> Case:
    """A pair that two branches hold counts twice, on slots as on tokens."""
    keys, values = call.pair(20)
    seen = everything(call, 20)
    twice = call.scores(keys) + (1 + (torch.arange(20) < 5)).double().log()
    out, _ = call.softmax(windowed(call), (twice, seen, values))
    text = "mix(local(left=9, right=3) + full on encoder, columns([0:5]) on encoder)"
    return Case(text, out, {"encoder_kv": (keys, values)})


def absolute(call: Call) -> Case:
    """Positions are added to queries and keys, not to values; rows begin with the memory."""
    keys, values = call.pair(30)
    places = draw(30 + call.n, 16)
    q = call.q + places[30 + call.n - call.queries :]
    moved = Call(q, call.k + places[30:], call.v)
    out, _ = moved.softmax(
        (moved.scores(), call.distance <= 0, call.v),
        (moved.scores(keys + places[:30]), everything(call, 30), values),
    )
    text = "causal\n(full + full on memory(40)) with absolute(places)"
    return Case(text, out, {"places": places, "memory_kv": (keys, values)})


def absolute_of_queries_and_of_keys(call: Call) -> Case:
    """A table for each; that of the queries has heads."""
    keys, values = call.pair(30)
    asked, held = draw(2, 30 + call.n, 16), draw(30 + call.n, 16)
    q = call.q + asked[:, 30 + call.n - call.queries :]
    moved = Call(q, call.k + held[30:], call.v)
    out, _ = moved.softmax(
        (moved.scores(), window(call), call.v),
        (moved.scores(keys + held[:30]), everything(call, 30), values),
    )
    text = "(local(left=9, right=3) + full on memory(40)) with absolute(places)"
    return Case(text, out, {"places": (asked, held), "memory_kv": (keys, values)})


CASES = named(
    memory,
    memory_not_yet_full,
    memory_of_nothing,
    compressed,
    recurrence,
    pool_of_whole_windows,
    pool_of_the_past,
    pool_of_whole_windows_of_the_past,
    pool_with_leftovers,
    pool_with_leftovers_of_overlaps,
    pool_with_a_short_window,
    pool_given_at_the_call,
    persistent,
    stream,
    encoder,
    encoder_by_head,
    rows_without_keys,
    projection,
    projection_of_slots,
    gate,
    gate_of_three,
    outputs_added,
    mean_of_branches_with_keys,
    gate_of_one_head,
    mix_of_sources,
    project,
    absolute,
    absolute_of_queries_and_of_keys,
)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("queries", "n", "kv_heads"), [(1, 1, 2), (60, 60, 1)])
@pytest.mark.parametrize(("backend", "dtype", "bound"), GRADED)
def test_gradients_reach_all_keys_and_inputs(
    name: str, queries: int, n: int, kv_heads: int, backend: str, dtype: torch.dtype, bound: float
) -> None:
    call = Call.of(queries, n, kv_heads)
    assert_differentiates(CASES[name](call), call, backend, dtype, bound)


def test_four_query_heads_with_windows_of_their_own_share_two_key_heads() -> None:
    """Each query head has a window, a part of the memory and a row of the table of its own."""
    call = Call.of(23, 60, kv_heads=2, heads=4)
    (keys, values), table = call.pair(20), draw(4, 23, 60)
    head = torch.arange(4)[:, None, None]
    near = (call.distance <= 0) & (call.distance >= -2 - 5 * head)
    kept = (torch.arange(-20, 0) % 4 == head).expand(-1, 23, -1)
    out, _ = call.softmax((call.scores() + table, near, call.v), (call.scores(keys), kept, values))
    text = (
        "causal\nheads 4\nlocal(left=2 + 5 * head) with bias(table) "
        "+ where(j % 4 == head) on memory(20)"
    )
    case = Case(text, out, {"table": table, "memory_kv": (keys, values)})
    for backend, dtype, bound in WAYS:
        assert_computes(case, call, backend, dtype, bound)


def test_rows_without_keys_give_zero_on_slots_as_on_tokens() -> None:
    call = Call.of(23, 60)
    case = rows_without_keys(call)
    assert torch.equal(case.out[:, :, 1], torch.zeros_like(case.out[:, :, 1]))
    for backend in ("reference", "cpu"):
        out, lse = compiled(case.text).attention(
            call.q, call.k, call.v, **case.inputs, backend=backend, return_lse=True
        )
        assert (out[:, :, 1::3] == 0).all()
        assert (lse[:, :, 1::3] == -torch.inf).all()
        assert lse[:, :, ::3].isfinite().all()


@pytest.mark.parametrize(("backend", "dtype", "bound"), EXACT)
def test_the_lse_counts_all_sources(backend: str, dtype: torch.dtype, bound: float) -> None:
    call = Call.of(23, 60)
    keys, values = call.pair(20)
    _, wanted = call.softmax(windowed(call), (call.scores(keys), everything(call, 20), values))
    module = compiled("local(left=9, right=3) + full on memory(24)")
    _, lse = module.attention(
        call.q, call.k, call.v, memory_kv=(keys, values), backend=backend, return_lse=True
    )
    torch.testing.assert_close(lse, wanted, rtol=bound, atol=bound)


def test_without_a_term_on_the_tokens_no_keys_of_them_are_needed() -> None:
    call = Call.of(23, 60)
    keys, values = call.pair(60)
    out, _ = call.softmax((call.scores(keys), everything(call, 60), values))
    for backend in ("reference", "cpu"):
        found = compiled("full on encoder").attention(
            call.q, None, None, encoder_kv=(keys, values), backend=backend
        )
        torch.testing.assert_close(found, out, rtol=1e-9, atol=1e-9)


# Inputs that do not fit: (program, name of the input, what is given for q [2, 2, 23, 16], n = 60).
def floats(*shape: int) -> Tensor:
    return torch.zeros(*shape, dtype=torch.float64)


WRONG = {
    "longer than declared": ("full + full on memory(4)", "memory_kv", (floats(2, 2, 5, 16),) * 2),
    "one tensor for two": ("full + full on memory(4)", "memory_kv", floats(2, 2, 4, 16)),
    "keys of another size": ("full + full on memory(4)", "memory_kv", (floats(2, 2, 4, 8),) * 2),
    "heads that do not fit": ("full + full on memory(4)", "memory_kv", (floats(2, 3, 4, 16),) * 2),
    "another batch": ("full + full on memory(4)", "memory_kv", (floats(3, 2, 4, 16),) * 2),
    "values of fewer slots": (
        "full + full on memory(4)",
        "memory_kv",
        (floats(2, 2, 4, 16), floats(2, 2, 3, 16)),
    ),
    "another dtype": ("full + full on encoder", "encoder_kv", (floats(2, 2, 4, 16).float(),) * 2),
    "too few learned slots": (
        "full + full on persistent(4)",
        "persistent_kv",
        (floats(2, 3, 16),) * 2,
    ),
    "heads that the keys do not have": (
        "full + full on memory(4)",
        "memory_kv",
        (floats(2, 1, 4, 16),) * 2,
    ),
    "values of another size": (
        "full + full on memory(4)",
        "memory_kv",
        (floats(2, 2, 4, 16), floats(2, 2, 4, 8)),
    ),
    "learned slots of one head": (
        "full + full on persistent(4)",
        "persistent_kv",
        (floats(4, 16),) * 2,
    ),
    "too few tokens of a stream": (
        "full + full on stream(g, 4)",
        "g_kv",
        (floats(2, 2, 3, 16),) * 2,
    ),
    "weights for another length": ("full on project(4)", "project_weights", (floats(4, 61),) * 2),
    "too few pooled slots": (
        "full + full on pool(4, mean)",
        "pool_kv",
        (floats(2, 2, 14, 16),) * 2,
    ),
    "two of three projections": (
        "full + global([0], projection=g)",
        "g",
        (floats(2, 2, 60, 16),) * 2,
    ),
    "queries of another length": (
        "full + global([0], projection=g)",
        "g",
        (floats(2, 2, 60, 16),) * 3,
    ),
    "keys of another length": (
        "full + global([0], projection=g)",
        "g",
        (floats(2, 2, 23, 16),) * 3,
    ),
    "a gate for more heads": ("gate(full, diagonal, name=share)", "share", floats(3)),
    "a gate for fewer branches": ("gate(full, diagonal, full)", "gate", floats(2)),
    "too few positions": ("full with absolute(places)", "places", floats(59, 16)),
    "one position for all": ("full with absolute(places)", "places", floats(1, 16)),
    "narrow positions": ("full with absolute(places)", "places", floats(60, 8)),
    "positions of three": ("full with absolute(places)", "places", (floats(60, 16),) * 3),
    "positions of more heads": (
        "full with absolute(places)",
        "places",
        (floats(60, 16), floats(3, 60, 16)),
    ),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_an_input_that_does_not_fit_is_an_error_with_its_name(what: str, backend: str) -> None:
    text, name, value = WRONG[what]
    call = Call.of(23, 60)
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        compiled(text).attention(call.q, call.k, call.v, **{name: value}, backend=backend)


def test_an_input_that_nothing_asks_is_an_error_with_its_name() -> None:
    call = Call.of(23, 60)
    with pytest.raises(TypeError, match=r"'memory'.*here: memory_kv"):
        compiled("full + full on memory(4)").attention(call.q, call.k, call.v, memory=call.pair(4))


def test_a_query_before_the_first_position_is_an_error() -> None:
    call = Call.of(45, 19)
    with pytest.raises(ValueError, match=r"^places has shape \[19, 16\]; expected "):
        compiled("full with absolute(places)").attention(
            call.q, call.k, call.v, places=floats(19, 16)
        )


@pytest.mark.parametrize(
    "text",
    [
        "causal\n(full + full on memory(40)) with absolute(places)",
        "heads 4\ngate(local(3), full on stream(g, 5), full on persistent(6), name=shares)",
    ],
)
def test_the_self_test_brings_inputs_that_fit(text: str) -> None:
    assert with_self_test(compiled(text))._self_test()


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_a_layer_without_the_first_source_has_the_heads_and_sizes_of_its_own(backend: str) -> None:
    text = "layers 2\nlayer == 0 -> local(2) on encoder\nelse -> full"
    q, k, v = draw(1, 4, 9, 8), draw(1, 2, 9, 8), draw(1, 2, 9, 5)
    out = compiled(text).attention(q, k, v, layer=1, backend=backend)
    weights = (q @ k.repeat_interleave(2, 1).mT / 8**0.5).softmax(-1)
    torch.testing.assert_close(out, weights @ v.repeat_interleave(2, 1))


ON_ENCODER = "none + where(j >= n - 18) on encoder + rows([1, -1]) on encoder"


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("queries", [1, 20, 70])
def test_rows_on_an_encoder_count_the_tokens(backend: str, queries: int) -> None:
    q, tokens, encoder = draw(1, 1, queries, 8), draw(1, 1, 20, 8), draw(1, 1, 6, 8)
    inputs = {"encoder_kv": (encoder, encoder), "return_lse": True, "backend": backend}
    _, lse = compiled(ON_ENCODER).attention(q, tokens, tokens, **inputs)
    seen = torch.zeros(queries, 6, dtype=torch.bool)
    seen[:, 2:] = True
    seen[1:2], seen[19:20] = True, True
    scores = (q @ encoder.mT / 8**0.5).masked_fill(~seen, -torch.inf)
    torch.testing.assert_close(lse, scores.logsumexp(-1))


def test_kernels_on_an_encoder_have_no_rows_behind_the_tokens_that_they_count() -> None:
    q, tokens, encoder = (draw(1, 1, count, 16).float() for count in (21, 20, 6))
    inputs = {"encoder_kv": (encoder, encoder), "backend": "triton"}
    with pytest.raises(ValueError, match="21 queries, but 20 tokens"):
        compiled(ON_ENCODER).attention(q, tokens, tokens, **inputs)
