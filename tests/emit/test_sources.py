"""Key sources, projections of rows and combined outputs, against attention written down by hand."""

from __future__ import annotations

import pytest
import torch

from tests.emit.dense import (
    SHAPES,
    WAYS,
    Call,
    Case,
    Cases,
    Tensor,
    assert_computes,
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
    keys, values = call.pair(20)
    places = draw(20 + call.n, 16)
    q = call.q + places[20 + call.n - call.queries :]
    moved = Call(q, call.k + places[20:], call.v)
    out, _ = moved.softmax(
        (moved.scores(), call.distance <= 0, call.v),
        (moved.scores(keys + places[:20]), everything(call, 20), values),
    )
    text = "causal\n(full + full on memory(24)) with absolute(places)"
    return Case(text, out, {"places": places, "memory_kv": (keys, values)})


FREE = named(
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
)
# Positions before the first have no row in the table.
CASES: Cases = {**FREE, **named(absolute)}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("queries", "n", "kv_heads"), SHAPES)
@pytest.mark.parametrize(("backend", "dtype", "bound"), WAYS)
def test_outputs_are_those_written_down(
    name: str, queries: int, n: int, kv_heads: int, backend: str, dtype: torch.dtype, bound: float
) -> None:
    if queries > n and name not in FREE:
        pytest.skip("its queries have no position before the first")
    call = Call.of(queries, n, kv_heads)
    assert_computes(CASES[name](call), call, backend, dtype, bound)
