"""Key sources, score modifiers, projections and combined outputs: to terms and inputs."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patternc.ir import modifiers as m
from patternc.ir import sources as s
from patternc.ir.formula import Constant
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import KeySource
from patternc.ir.terms import (
    Causal,
    Columns,
    Combination,
    Diagonal,
    Full,
    Global,
    HeadPattern,
    Intersection,
    Listing,
    Local,
    On,
    PositionRange,
    Rows,
    Term,
    Union,
    With,
)
from patternc.language import Elaborated, PatternError, elaborate, parse, show
from patternc.modifiers.alibi import Alibi
from patternc.modifiers.bias import Bias
from patternc.modifiers.distance_aware import DistanceAware
from patternc.modifiers.relative import Relative
from patternc.modifiers.softcap import SoftCap
from patternc.modifiers.softspan import SoftSpan
from patternc.modifiers.t5 import T5Bias
from patternc.modifiers.xl_relative import XlRelative
from patternc.semantics.mask import mask


def _elaborated(text: str) -> Elaborated:
    return elaborate(parse(text))


def _term(text: str, layer: int = 0, head: int = 0) -> Term:
    (branch,) = _elaborated(text).resolve(layer, head).branches
    return branch


def _codes(text: str) -> set[str]:
    try:
        _elaborated(text)
    except PatternError as error:
        return {finding.code for finding in error.diagnostics}
    return set()


_FIRST = Listing((PositionRange(Constant(0), None, single=True),))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("memory(512)", s.Memory(512)),
        ("compressed(4, rate=2 + 1)", s.Compressed(4, 3)),
        ("pool(16, sum)", s.Pool(16, "sum", 16, "clip")),
        ("pool(32, mean, stride=24, tail=drop)", s.Pool(32, "mean", 24, "drop")),
        ("pool(4, max, tail=merge)", s.Pool(4, "max", 4, "merge")),
        ("project(256)", s.Project(256)),
        ("persistent(16)", s.Persistent(16)),
        ("stream(g, 8)", s.Stream("g", 8)),
        ("encoder", s.Encoder()),
    ],
)
def test_every_source_keeps_its_numbers(text: str, source: KeySource) -> None:
    assert _term(f"full on {text}") == On(Full(), source)


@pytest.mark.parametrize(
    ("text", "modifier"),
    [
        ("alibi", Alibi()),
        ("t5(32, 128)", T5Bias(32, 128, bidirectional=True, name="t5_bias")),
        ("t5(32, 128, name=b)", T5Bias(32, 128, bidirectional=True, name="b")),
        ("relative(12)", Relative(12)),
        ("xl_relative", XlRelative()),
        ("distance_aware", DistanceAware()),
        ("rotary(1e4)", m.Rotary(10000.0)),
        ("rotary(10 ** 4)", m.Rotary(10000.0)),
        ("absolute(p)", m.Absolute("p")),
        ("softcap(50)", SoftCap(50.0)),
        ("softspan(32, z=span)", SoftSpan(32.0, "span")),
        ("sink", m.Sink()),
        ("bias(b)", Bias("b")),
        ("scale(0.125)", m.Scale(0.125)),
        ("scale(-(-2))", m.Scale(2.0)),
    ],
)
def test_every_modifier_keeps_its_numbers(text: str, modifier: Modifier) -> None:
    assert _term(f"full with {text}") == With(Full(), modifier)


def test_on_and_with_are_read_from_left_to_right() -> None:
    alibi, memory = Alibi(), s.Memory(4)
    assert _term("full on memory(4) with alibi") == With(On(Full(), memory), alibi)
    assert _term("full with alibi on memory(4)") == On(With(Full(), alibi), memory)


@pytest.mark.parametrize(
    ("text", "bidirectional"),
    [
        ("full with t5(32, 128)", [True]),
        ("local(left=4) with t5(32, 128)", [True]),
        ("causal\nfull with t5(32, 128)", [False]),
        ("(full & causal) with t5(32, 128)", [False]),
        ("(causal) with t5(32, 128)", [False]),
        ("(full with t5(32, 128)) & causal", [False]),
        ("let c = causal\n((full with t5(32, 128)) + none) & c", [False]),
        ("(full & causal + diagonal) with t5(32, 128)", [True]),
        ("(full & causal + (causal - diagonal)) with t5(32, 128)", [False]),
        ("(full & causal) on memory(4) with t5(32, 128)", [False]),
        (
            "let b = local(4) with t5(32, 128)\nb + b & causal + b on memory(4)",
            [True, False, True],
        ),
    ],
)
def test_t5_has_one_side_where_no_key_is_ahead(text: str, bidirectional: list[bool]) -> None:
    assert [one.bidirectional for one in _biases(_term(text))] == bidirectional


def _biases(term: Term) -> list[T5Bias]:
    match term:
        case With(inner, T5Bias() as bias):
            return [*_biases(inner), bias]
        case Union(terms) | Intersection(terms):
            return [bias for one in terms for bias in _biases(one)]
        case On(inner):
            return _biases(inner)
        case _:
            return []


def test_projections_belong_to_rows() -> None:
    assert _term("global([0], projection=g)") == Global(_FIRST, "g")
    assert _term("rows([0], projection=g)") == Rows(_FIRST, "g")


def test_combinations_nest_and_the_header_causal_meets_their_branches() -> None:
    def causal(*terms: Term) -> HeadPattern:
        return HeadPattern(tuple(Intersection((term, Causal())) for term in terms))

    text = (
        "causal\nlet b = mix(full, diagonal)\nlet a = mean(b, none)\ngate(sum(a, full), b, name=g)"
    )
    pattern = _elaborated(text.replace("none", "columns([0])")).resolve()
    mean = Combination("mean", (causal(Full(), Diagonal()), causal(Columns(_FIRST))))
    summed = Combination("sum", (HeadPattern((), mean), causal(Full())))
    gate = Combination("gate", (HeadPattern((), summed), causal(Full(), Diagonal())), "g")
    assert pattern == HeadPattern((), gate)


def test_a_gate_without_a_name_takes_the_input_gate() -> None:
    elaborated = _elaborated("gate(full, none)")
    combination = elaborated.resolve().combination
    assert combination is not None
    assert combination.gate == "gate"
    assert [(item.name, item.role) for item in elaborated.inputs] == [("gate", "gate")]


def test_inputs_of_sources_and_modifiers_have_names_of_their_own() -> None:
    text = (
        "let all = full on memory(4) + full on compressed(4, rate=2) + full on stream(g, 2)\n"
        "gate(all with xl_relative with sink + global(asked, projection=p),\n"
        "     (full with t5(32, 128)) with distance_aware with bias(b) with softspan(2, z=z),\n"
        "     full on encoder with relative(4) with absolute(e),\n"
        "     full on project(4) + full on persistent(8), name=w)"
    )
    inputs = [(item.name, item.role) for item in _elaborated(text).inputs]
    assert inputs == [
        ("w", "gate"),
        ("memory_kv", "memory"),
        ("compressed_kv", "compressed"),
        ("g_kv", "stream"),
        ("xl_u", "xl"),
        ("xl_v", "xl"),
        ("xl_r", "xl"),
        ("sinks", "sink"),
        ("asked", "set"),
        ("p", "projection"),
        ("t5_bias", "t5"),
        ("distance_alpha", "distance"),
        ("distance_beta", "distance"),
        ("b", "bias"),
        ("z", "span"),
        ("encoder_kv", "encoder"),
        ("relative_keys", "relative"),
        ("e", "positions"),
        ("project_weights", "project"),
        ("persistent_kv", "persistent"),
    ]


def test_an_input_counts_tokens_or_the_slots_of_one_source() -> None:
    assert _codes("columns(a) + columns(a) on memory(4)") == {"P048"}
    assert _codes("listed(a) on encoder + listed(a) on memory(4)") == {"P048"}
    assert _codes("rows(a) + rows(a) on memory(4) + columns(b) on memory(4)") == set()
    (only,) = _elaborated("columns(a) on pool(2, mean)").inputs
    assert "slots of `pool`" in only.shape


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "local(2) on memory(8) + random(3) on memory(8) + random(1)",
            "local(2) on memory(8) + random(3, avoid=local(2)) on memory(8)"
            " + random(1, avoid=none)",
        ),
        (
            "full on memory(8) with alibi + random(3) on memory(8) with alibi",
            "full on memory(8) with alibi + random(3, avoid=full) on memory(8) with alibi",
        ),
        (
            "full on memory(8) + random(3) on memory(4 + 4)",
            "full on memory(8) + random(3, avoid=none) on memory(4 + 4)",
        ),
        (
            "full on memory(8) + (local(1) + random(3)) on memory(8)",
            "full on memory(8) + (local(1) + random(3, avoid=local(1))) on memory(8)",
        ),
        (
            "let a = (full with alibi) + local(1) on encoder\na - diagonal + random(1)",
            "let a = full with alibi + local(1) on encoder\n"
            "a - diagonal + random(1, avoid=full - diagonal)",
        ),
        (
            "let a = (full with alibi) + local(1) on encoder\na & causal + random(1) on encoder",
            "let a = full with alibi + local(1) on encoder\n"
            "a & causal + random(1, avoid=local(1) & causal) on encoder",
        ),
        (
            "(full - none on encoder) + ~(none on encoder) + random(1) + random(2) on encoder",
            "full - none on encoder + ~(none on encoder) + random(1, avoid=full)"
            " + random(2, avoid=~none) on encoder",
        ),
        (
            "let r = random(1) on encoder\nfull on encoder + r",
            "full on encoder + random(1, avoid=full) on encoder",
        ),
        (
            "let a = nearest(2)\n(a & local(9) + random(3)) & local(5)",
            "let a = nearest(2)\n(a & local(9) + random(3, avoid=a & local(9))) & local(5)",
        ),
    ],
)
def test_draws_avoid_what_is_on_their_own_source(text: str, written: str) -> None:
    elaborated = _elaborated(text)
    assert show(elaborated.program) == written + "\n"
    assert _elaborated(written).resolve(0, 0) == elaborated.resolve(0, 0)
    again = _elaborated(written)
    assert again.resolve() == elaborated.resolve()
    assert again.program == elaborated.program


def test_sources_have_one_size_in_a_layer_and_another_in_the_next() -> None:
    assert _codes("layers 2\nheads 2\nfull on memory(4 + layer) with t5(8 + layer, 64)") == set()
    assert _codes("layers 2\nheads 2\nfull on memory(4 + head)") == {"P114"}
    assert _codes("heads 2\nhead == 0 -> full on memory(4)\nelse -> full on memory(5)") == {"P114"}
    assert _codes("full on pool(2, mean) + full on pool(4, mean)") == set()
    assert _codes("gate(full, gate(full, none, full, name=a), name=a)") == {"P114"}


def test_a_mistake_in_a_value_is_not_reported_twice_as_one_of_sources() -> None:
    assert _codes("(full + full on memory(0)) & (local(1) on memory(4))") == {"P105"}


def test_positions_on_a_source_are_not_measured_by_the_length() -> None:
    elaborated = _elaborated("columns([0]) + columns([100]) on encoder")
    assert elaborated.length_warnings(10) == ()


_COUNT = 64
_ends = st.integers(-6, 6)
_lists = st.lists(
    _ends.map(str) | st.tuples(_ends, _ends).map(lambda ends: f"{ends[0]}:{ends[1]}"), max_size=2
).map(lambda items: f"[{', '.join(items)}]")
_periods = st.sampled_from((2, 4, 8)).flatmap(
    lambda length: st.integers(0, length - 1).flatmap(
        lambda start: st.integers(start + 1, length).map(
            lambda stop: f"period({length}, {start}:{stop})"
        )
    )
)
_rows = st.builds(
    lambda blocks, positions, kind: (blocks, f"{kind}({positions}"),
    st.sampled_from(("", "blocks(2)", "blocks(4)")),
    _lists | _periods,
    st.sampled_from(("rows", "global")),
)


def _wrapped(blocks: str, relation: str) -> str:
    return f"{blocks} {{ {relation} }}" if blocks else relation


@settings(max_examples=200)
@given(st.lists(_rows, min_size=2, max_size=3))
def test_rows_with_two_projections_are_told_from_rows_that_never_meet(
    parts: list[tuple[str, str]],
) -> None:
    """At a length that all periods and blocks divide, and at which ends keep apart."""
    calls = [_wrapped(b, f"{call}, projection=g{k * 11})") for k, (b, call) in enumerate(parts)]
    held = [
        mask(_term(_wrapped(b, call.replace("global", "rows") + ")")), _COUNT)[:, 0]
        for b, call in parts
    ]
    meet = any(bool((a & b).any()) for a, b in combinations(held, 2))
    assert ("P113" in _codes(" + ".join(calls))) == meet


def test_arguments_of_attached_words_are_checked_as_all_others_are() -> None:
    assert _codes("full on memory(n)") == {"P063"}
    assert _codes("full on pool(4, average)") == {"P055"}
    assert _codes("full with softcap") == {"P053"}
    assert _codes("full on memory(0.5)") == {"P060"}
    assert _codes("let w = 2\nfull on memory(w) with bias(w)") == {"P047"}
    assert _codes("full with rotary(1e999)") == {"P105"}


def test_the_widest_local_on_a_pool_is_told_from_one_on_a_memory() -> None:
    local = Local(Constant(1), Constant(1))
    assert _term("local(1) on memory(2)") == On(local, s.Memory(2))
    assert _codes("local(1) on pool(2, mean)") == {"P074"}


def test_the_input_of_a_gate_is_no_relation_of_a_stream() -> None:
    rule = "gate(local(1), mean(full, diagonal), name=weights)"
    assert _codes(f"full on stream(g, 2)\nrows g\n{rule}") == set()
    assert _codes("full on stream(g, 2)\nrows g\ngate(global([0]), full, name=w)") == {"P074"}
