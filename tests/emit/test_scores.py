"""Score modifiers of every backend, against scores written down by hand."""

from __future__ import annotations

import pytest
import torch

from tests.emit.dense import (
    GRADED,
    Call,
    Case,
    Tensor,
    assert_differentiates,
    compiled,
    draw,
    named,
)

T5Attention = pytest.importorskip(
    "transformers.models.t5.modeling_t5", reason="the test extra installs transformers"
).T5Attention


def window(call: Call) -> Tensor:
    """local(left=9, right=3)."""
    return (call.distance >= -9) & (call.distance <= 3)


def windowed(call: Call, scores: Tensor) -> Tensor:
    return call.softmax((scores, window(call), call.v))[0]


def softcap(call: Call) -> Case:
    return Case(
        "local(left=9, right=3) with softcap(2)", windowed(call, 2 * torch.tanh(call.scores() / 2))
    )


def scale(call: Call) -> Case:
    return Case("local(left=9, right=3) with scale(0.5)", windowed(call, 2 * call.scores()))


def alibi(call: Call) -> Case:
    slopes = torch.tensor([2.0**-4, 2.0**-8])[:, None, None]
    scores = call.scores() - slopes * call.distance.abs()
    return Case("full with alibi & causal", call.softmax((scores, call.distance <= 0, call.v))[0])


def bias(call: Call) -> Case:
    table = draw(2, call.queries, call.n)
    text = "local(left=9, right=3) with bias(table)"
    return Case(text, windowed(call, call.scores() + table), {"table": table})


def bias_of_batch(call: Call) -> Case:
    table = draw(2, 1, call.queries, call.n)
    text = "local(left=9, right=3) with bias(table)"
    return Case(text, windowed(call, call.scores() + table), {"table": table})


def bias_of_slots(call: Call) -> Case:
    keys, values = call.pair(7)
    table = draw(2, call.queries, 7)
    everything = torch.ones(call.queries, 7, dtype=torch.bool)
    out, _ = call.softmax(
        (call.scores(), window(call), call.v), (call.scores(keys) + table, everything, values)
    )
    text = "local(left=9, right=3) + full on encoder with bias(table)"
    return Case(text, out, {"table": table, "encoder_kv": (keys, values)})


def relative(call: Call) -> Case:
    keys = draw(9, 16)
    place = (call.distance.clamp(-4, 4) + 4).expand(2, 2, -1, -1)
    scores = call.scores() + (call.q @ keys.mT).gather(3, place) / 4
    text = "local(left=9, right=3) with relative(4)"
    return Case(text, windowed(call, scores), {"relative_keys": keys})


def relative_with_a_scale(call: Call) -> Case:
    """The scale takes in the relative products."""
    keys = draw(9, 16)
    place = (call.distance.clamp(-4, 4) + 4).expand(2, 2, -1, -1)
    scores = 4 * call.scores() + (call.q @ keys.mT).gather(3, place)
    text = "local(left=9, right=3) with relative(4) with scale(1)"
    return Case(text, windowed(call, scores), {"relative_keys": keys})


def soft_span(call: Call) -> Case:
    span = torch.tensor([3.0, 7.0], dtype=torch.float64)
    share = ((span[:, None, None] + 1 + call.distance) / 4 + 1).clamp(0, 1)
    seen = (call.distance < 0) & (call.distance >= -9) & (share > 0)
    out, _ = call.softmax((call.scores() + share.log(), seen, call.v))
    return Case("local(left=9, right=-1) with softspan(4, z=span)", out, {"span": span})


def sink(call: Call) -> Case:
    sinks = draw(2)
    out, lse = call.softmax((call.scores(), window(call), call.v))
    share = (lse - torch.logaddexp(lse, sinks[:, None])).exp()
    text = "local(left=9, right=3) with sink"
    return Case(text, out * share[..., None], {"sinks": sinks})


def distance_aware(call: Call) -> Case:
    alpha, beta = draw(2).abs(), draw(2)
    change = alpha[:, None, None] * call.distance.abs()
    factor = (1 + beta.exp())[:, None, None] / (1 + (beta[:, None, None] - change).exp())
    out = windowed(call, call.scores().clamp(min=0) * factor)
    text = "local(left=9, right=3) with distance_aware"
    return Case(text, out, {"distance_alpha": alpha, "distance_beta": beta})


def t5(call: Call) -> Case:
    table = draw(32, 2)
    bucket = T5Attention._relative_position_bucket(call.distance, True, 32, 20)
    out = windowed(call, call.scores() + table[bucket].permute(2, 0, 1))
    return Case("local(left=9, right=3) with t5(32, 20)", out, {"t5_bias": table})


def t5_of_the_past(call: Call) -> Case:
    table = draw(32, 2)
    bucket = T5Attention._relative_position_bucket(call.distance, False, 32, 20)
    scores = call.scores() + table[bucket].permute(2, 0, 1)
    out, _ = call.softmax((scores, call.distance <= 0, call.v))
    return Case("causal\nfull with t5(32, 20)", out, {"t5_bias": table})


def t5_of_slots(call: Call) -> Case:
    """Distances on a pool count windows."""
    table, (keys, values) = draw(8, 2), call.pair(-(-call.n // 4))
    bucket = T5Attention._relative_position_bucket(
        torch.arange(keys.shape[2]) - call.i // 4, True, 8, 20
    )
    scores = call.scores(keys) + table[bucket].permute(2, 0, 1)
    everything = torch.ones(call.queries, keys.shape[2], dtype=torch.bool)
    out, _ = call.softmax((scores, everything, values))
    text = "full on pool(4, sum) with t5(8, 20)"
    return Case(text, out, {"t5_bias": table, "pool_kv": (keys, values)})


def t5_of_tokens_and_of_slots(call: Call) -> Case:
    """A table for each; leftover tokens belong to the last slot."""
    slots = call.n // 4
    tables, (keys, values) = (draw(32, 2), draw(8, 2)), call.pair(slots)
    own = (call.i // 4).clamp(max=slots - 1)
    bucket = T5Attention._relative_position_bucket
    near, far = (
        tables[0][bucket(call.distance, True, 32, 20)],
        tables[1][bucket(torch.arange(slots) - own, True, 8, 20)],
    )
    everything = torch.ones(call.queries, slots, dtype=torch.bool)
    out, _ = call.softmax(
        (call.scores() + near.permute(2, 0, 1), window(call), call.v),
        (call.scores(keys) + far.permute(2, 0, 1), everything, values),
    )
    text = (
        "local(left=9, right=3) with t5(32, 20)"
        " + full on pool(4, sum, tail=merge) with t5(8, 20, name=far)"
    )
    return Case(text, out, {"t5_bias": tables[0], "far": tables[1], "pool_kv": (keys, values)})


def rotated(part: Tensor, position: Tensor) -> Tensor:
    """Neighbouring dimensions turned as complex numbers."""
    turns = 10000.0 ** (-torch.arange(0, 16, 2).double() / 16)
    angle = position.double().view(-1, 1) * turns
    pairs = torch.complex(part[..., 0::2], part[..., 1::2])
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    return torch.stack([turned.real, turned.imag], -1).flatten(-2)


def rotary(call: Call) -> Case:
    keys = call.shared(rotated(call.k, call.j))
    out = windowed(call, rotated(call.q, call.i) @ keys.mT / 4)
    return Case("local(left=9, right=3) with rotary(10000)", out)


def rotary_with_memory(call: Call) -> Case:
    keys, values = call.pair(20)
    behind = torch.arange(-20, 0)[None, :]
    moved, turned = rotated(keys, behind), rotated(call.q, call.i)
    out, _ = call.softmax(
        (turned @ call.shared(moved).mT / 4, (behind >= call.i - 25) & (behind <= call.i), values),
        (turned @ call.shared(rotated(call.k, call.j)).mT / 4, call.distance <= 0, call.v),
    )
    text = "causal\n(full + local(left=25) on memory(24)) with rotary(10000)"
    return Case(text, out, {"memory_kv": (keys, values)})


def xl_relative(call: Call) -> Case:
    (keys, values), u, w = call.pair(20), draw(2, 16), draw(2, 16)
    r = draw(call.n + 20, 2, 16)
    keys, j = torch.cat([keys, call.k], 2), torch.arange(-20, call.n)[None, :]
    far = (call.i - j).clamp(min=0).expand(2, 2, -1, -1)
    by_place = ((call.q + w[:, None]) @ r.permute(1, 2, 0)).gather(3, far)
    scores = ((call.q + u[:, None]) @ call.shared(keys).mT + by_place) / 4
    # Memory is available to every query, also to one that stands before it.
    seen = (j <= call.i) | (j < 0)
    out, _ = call.softmax((scores, seen, torch.cat([values, call.v], 2)))
    text = "causal\n(full + full on memory(24)) with xl_relative"
    memory = keys[:, :, :20], values
    return Case(text, out, {"memory_kv": memory, "xl_u": u, "xl_v": w, "xl_r": r})


def several(call: Call) -> Case:
    """The order of application: scale, softcap, bias, softspan, whatever the order of the text."""
    table, span = draw(2, call.queries, call.n), torch.tensor([3.0, 7.0], dtype=torch.float64)
    share = ((span[:, None, None] + 1 + call.distance) / 4 + 1).clamp(0, 1)
    scores = 3 * torch.tanh(call.scores() * 4 * 0.3 / 3) + table + share.log()
    out, _ = call.softmax((scores, window(call) & (share > 0), call.v))
    text = (
        "local(left=9, right=3) with softspan(4, z=span) with bias(table) with softcap(3) "
        "with scale(0.3)"
    )
    return Case(text, out, {"table": table, "span": span})


CASES = named(
    softcap,
    scale,
    alibi,
    bias,
    bias_of_batch,
    bias_of_slots,
    relative,
    relative_with_a_scale,
    soft_span,
    sink,
    distance_aware,
    t5,
    t5_of_the_past,
    t5_of_slots,
    t5_of_tokens_and_of_slots,
    rotary,
    rotary_with_memory,
    xl_relative,
    several,
)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("queries", "n", "kv_heads"), [(1, 1, 2), (23, 60, 1)])
@pytest.mark.parametrize(("backend", "dtype", "bound"), GRADED)
def test_gradients_reach_through_the_scores(
    name: str, queries: int, n: int, kv_heads: int, backend: str, dtype: torch.dtype, bound: float
) -> None:
    call = Call.of(queries, n, kv_heads)
    assert_differentiates(CASES[name](call), call, backend, dtype, bound)


def floats(*shape: int) -> Tensor:
    return torch.zeros(*shape, dtype=torch.float64)


# (program, inputs that fit q [2, 2, 23, 16] and n = 60, the one that does not, what is given).
XL = {"xl_u": floats(2, 16), "xl_v": floats(2, 16), "xl_r": floats(60, 2, 16)}
DISTANCE = {"distance_alpha": floats(2), "distance_beta": floats(2)}
WRONG = {
    "too few buckets": ("full with t5(32, 128)", {}, "t5_bias", floats(16, 2)),
    "buckets of another head": ("full with t5(32, 128)", {}, "t5_bias", floats(32, 3)),
    "buckets and heads exchanged": ("full with t5(32, 128)", {}, "t5_bias", floats(2, 32)),
    "one side of the distances": ("full with relative(4)", {}, "relative_keys", floats(5, 16)),
    "narrow vectors": ("full with relative(4)", {}, "relative_keys", floats(9, 8)),
    "sinks of more heads": ("full with sink", {}, "sinks", floats(4)),
    "spans of more heads": ("local(left=9) with softspan(4, z=z)", {}, "z", floats(1)),
    "a decay of more heads": ("full with distance_aware", DISTANCE, "distance_beta", floats(1)),
    "a bias of fewer keys": ("full with bias(table)", {}, "table", floats(2, 23, 59)),
    "a bias of all queries": ("full with bias(table)", {}, "table", floats(2, 60, 60)),
    "a bias of more heads": ("full with bias(table)", {}, "table", floats(3, 23, 60)),
    "a bias of slots, not tokens": (
        "full + full on pool(4, mean) with bias(table)",
        {},
        "table",
        floats(2, 23, 60),
    ),
    "too few distances": ("causal\nfull with xl_relative", XL, "xl_r", floats(59, 2, 16)),
    "a bias of positions": ("causal\nfull with xl_relative", XL, "xl_v", floats(16)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_table_that_does_not_fit_is_an_error_with_its_name(what: str) -> None:
    text, fitting, name, value = WRONG[what]
    call = Call.of(23, 60)
    for wrong in (value, value.unsqueeze(0).unsqueeze(0).unsqueeze(0)):
        with pytest.raises(ValueError, match=rf"^{name} has shape \[.*\]; expected "):
            compiled(text).attention(call.q, call.k, call.v, **{**fitting, name: wrong})


def test_distances_of_the_memory_count_in_the_table() -> None:
    call = Call.of(23, 60)
    case = xl_relative(call)
    with pytest.raises(ValueError, match=r"^xl_r has shape \[79, 2, 16\]"):
        compiled(case.text).attention(
            call.q, call.k, call.v, **{**case.inputs, "xl_r": case.inputs["xl_r"][:79]}
        )


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_branch_with_a_sink_and_no_key_counts_nowhere_in_a_mean(backend: str) -> None:
    call = Call.of(7, 7)
    found = compiled("mean((columns([0]) & rows([3])) with sink, full)").attention(
        call.q, call.k, call.v, sinks=torch.zeros(2).double(), backend=backend
    )
    wanted, _ = call.softmax((call.scores(), torch.ones(7, 7, dtype=torch.bool), call.v))
    others = [0, 1, 2, 4, 5, 6]
    torch.testing.assert_close(found[:, :, others], wanted[:, :, others])
    assert not torch.allclose(found[:, :, 3], wanted[:, :, 3])
