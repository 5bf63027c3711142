"""Elaboration: programs to the terms of every layer and head."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from patternc.ir.formula import (
    Add,
    All,
    Any,
    Compare,
    Constant,
    FloorDivide,
    Minimum,
    Modulo,
    Multiply,
    Reading,
    Subtract,
    Truth,
    Variable,
)
from patternc.ir.terms import (
    Axis,
    Blocks,
    Causal,
    Columns,
    Complement,
    Diagonal,
    Difference,
    DilatedSegment,
    Empty,
    EqualParts,
    Full,
    Global,
    HeadPattern,
    IndexList,
    Intersection,
    Listing,
    Local,
    Neighborhood,
    Period,
    Permutation,
    PositionRange,
    Random,
    Rows,
    RunTimeSet,
    SameDocument,
    Segment,
    Strided,
    Term,
    Union,
    Where,
)
from patternc.language import Elaborated, PatternError, elaborate, parse, show
from tests.language.programs import zoo

_I, _J, _N = Variable("i"), Variable("j"), Variable("n")


def _elaborated(text: str, **parameters: int | str) -> Elaborated:
    return elaborate(parse(text), parameters)


def _term(text: str, layer: int = 0, head: int = 0, **parameters: int | str) -> Term:
    (branch,) = _elaborated(text, **parameters).resolve(layer, head).branches
    return branch


def _local(left: int, right: int, dilation: int = 1) -> Local:
    return Local(Constant(left), Constant(right), dilation)


def _at(*positions: int) -> Listing:
    return Listing(tuple(PositionRange(Constant(p), None, single=True) for p in positions))


_EVERYWHERE = Listing((PositionRange(None, None),))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("full", Full()),
        ("none", Empty()),
        ("diagonal", Diagonal()),
        ("(causal)", Causal()),
        ("local(4)", _local(4, 4)),
        ("local(left=4)", _local(4, 0)),
        ("local(left=4, right=-1, dilation=2)", _local(4, -1, 2)),
        ("local(n // 4)", Local(FloorDivide(_N, Constant(4)), FloorDivide(_N, Constant(4)))),
        ("strided(128)", Strided(128)),
        ("segment(8)", Segment(8)),
        ("segment(8, back=1, ahead=2)", Segment(8, 1, 2)),
        ("segment(8, dilation=1, offset=5)", Segment(8)),
        ("segment(8, dilation=3, offset=5)", DilatedSegment(8, 3, 2)),
        ("columns([0, -1])", Columns(_at(0, -1))),
        ("rows([n - 1])", Rows(Listing((PositionRange(Subtract(_N, Constant(1)), None, True),)))),
        (
            "global([0:4, -4:, :])",
            Global(
                Listing(
                    (
                        PositionRange(Constant(0), Constant(4)),
                        PositionRange(Constant(-4), None),
                        PositionRange(None, None),
                    )
                )
            ),
        ),
        ("columns(period(128, 96:128))", Columns(Period(128, 96, 128))),
        ("columns(period(128, -32:))", Columns(Period(128, 96, 128))),
        ("columns(period(4, :1))", Columns(Period(4, 0, 1))),
        ("global(question)", Global(RunTimeSet("question"))),
        ("permuted([2:4, 0, 1])", Permutation((2, 3, 0, 1))),
        ("listed(plan)", IndexList("plan")),
        ("same(document)", SameDocument("document")),
        ("before(a)", Where(Compare("<", _J, Reading("a", _I)))),
        ("where(a[j] % 4 <= i)", Where(Compare("<=", Modulo(Reading("a", _J), Constant(4)), _I))),
        ("random(3)", Random(3, _EVERYWHERE, 0, 0, 0, Empty())),
        (
            "random(3, pool=1:16, seed=-7)",
            Random(3, Listing((PositionRange(Constant(1), Constant(16)),)), -7, 0, 0, Empty()),
        ),
        ("where(i < j)", Where(Compare("<", _I, _J))),
        ("where(0 <= 1)", Where(Truth(True))),
        (
            "where(0 <= i - 2 * j < min(n, 8, 3))",
            Where(
                All(
                    (
                        Compare("<=", Constant(0), Subtract(_I, Multiply(Constant(2), _J))),
                        Compare(
                            "<",
                            Subtract(_I, Multiply(Constant(2), _J)),
                            Minimum(Minimum(_N, Constant(8)), Constant(3)),
                        ),
                    )
                )
            ),
        ),
        ("blocks(64) { local(1) }", Blocks(64, _local(1, 1))),
        ("blocks(4) { blocks(2) { full } }", Blocks(4, Blocks(2, Full()))),
        ("blocks(parts=2) { permuted([1, 0]) }", EqualParts(2, Permutation((1, 0)))),
        ("full + none + diagonal", Union((Full(), Empty(), Diagonal()))),
        ("full & none & diagonal", Intersection((Full(), Empty(), Diagonal()))),
        ("full - ~none", Difference(Full(), Complement(Empty()))),
    ],
)
def test_every_relation_and_operator_becomes_its_term(text: str, term: Term) -> None:
    assert _term(text) == term


def test_a_neighborhood_has_one_axis_a_list_element() -> None:
    lists = "radius=[2, 1], dilation=[1, 2], stride=[1, 2], causal=[0]"
    text = f"neighborhood([8, 9], {lists}, edge=shift)"
    axes = (Axis(8, 2, 0, 1, 1, True), Axis(9, 1, 1, 2, 2, False))
    assert _term(text) == Neighborhood(axes, "shift")
    assert _term("neighborhood([8], left=[2])") == Neighborhood((Axis(8, 2, 0),), "clip")


def test_mixtures_flatten_and_lets_hold_them() -> None:
    text = "let m = mix(full, none)\nmix(m, mix(diagonal, m))"
    assert _elaborated(text).resolve().branches == (Full(), Empty(), Diagonal(), Full(), Empty())


def test_the_header_causal_meets_every_branch_and_reaches_the_draws() -> None:
    pattern = _elaborated("causal\nmix(full, local(1) + random(2))").resolve()
    drawn = Random(2, _EVERYWHERE, 0, 0, 0, _local(1, 1), past_only=True)
    assert pattern == HeadPattern(
        (
            Intersection((Full(), Causal())),
            Intersection((Union((_local(1, 1), drawn)), Causal())),
        )
    )


def test_the_header_causal_alone_has_the_rule_full() -> None:
    elaborated = _elaborated("causal\nheads 2")
    assert elaborated.causal
    assert elaborated.resolve(0, 1).branches == (Intersection((Full(), Causal())),)


def test_rules_are_tried_in_order_for_every_layer_and_head() -> None:
    elaborated = _elaborated(
        "layers 4\nheads 2\nlet w = 2 ** layer\n"
        "layer == 0 or not (head < 1 and layers > 3) -> local(w)\nelse -> strided(w + heads)"
    )
    assert elaborated.resolve(0, 0).branches == (_local(1, 1),)
    assert elaborated.resolve(3, 1).branches == (_local(8, 8),)
    assert elaborated.resolve(2, 0).branches == (Strided(6),)
    with pytest.raises(IndexError):
        elaborated.resolve(4, 0)


def test_without_headers_one_pattern_fits_any_number() -> None:
    elaborated = _elaborated("local(1)")
    assert (elaborated.heads, elaborated.layers) == (None, None)
    assert elaborated.resolve() is elaborated.resolve(0, 0)


def test_arguments_are_checked_only_where_their_rule_matches() -> None:
    text = "heads 4\nlet s = 8 // head\nhead == 0 -> full\nelse -> strided(s)"
    assert _term(text, head=3) == Strided(2)
    guarded = "heads 4\nhead > 0 and 8 // head == 4 -> full\nelse -> none"
    assert _term(guarded, head=2) == Full()


PARAMETERS = (
    "heads 4\nparam base = 8\nparam width = base * 2\nparam below = 1\nlocal(width + below)"
)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (64, 64),
        (np.int64(5), 5),
        (" 7 ", 7),
        ("-3 + base", 5),
        ("2 ** 6", 64),
        ("base // 3", 2),
        ("heads * base", 32),
        ("min(base, ceil_log2(100))", 7),
    ],
)
def test_a_parameter_takes_what_could_stand_in_its_line(given: int | str, value: int) -> None:
    assert _elaborated(PARAMETERS, width=given).parameters["width"] == value


def test_parameters_of_the_call_see_each_other_in_the_order_of_the_program() -> None:
    found = _elaborated(PARAMETERS, width="base * 4", base="2 + 1").parameters
    assert found == {"base": 3, "width": 12, "below": 1}


@pytest.mark.parametrize(
    "given",
    [
        *("", "wide", "width", "below", "n", "head", "2.5", "1 < 2", "not 1", "[1]", "1:2"),
        *("full", "local(3)", "min(1)", "1)+(2", "3\nlocal(1)", "1 +"),
    ],
)
def test_a_value_that_could_not_stand_in_its_line_is_no_parameter(given: str) -> None:
    with pytest.raises(PatternError, match="P031"):
        _elaborated(PARAMETERS, width=given)


@pytest.mark.parametrize("given", [2.5, True, None, np.float64(2)])
def test_a_parameter_is_no_other_number(given: object) -> None:
    with pytest.raises(PatternError, match="P031"):
        _elaborated(PARAMETERS, width=given)  # type: ignore[arg-type]  # that is what is tested


def test_a_value_without_a_value_is_told_at_the_parameter() -> None:
    with pytest.raises(PatternError, match="P100") as caught:
        _elaborated(PARAMETERS, width="1 // (base - 8)")
    assert "3 | param width = base * 2" in str(caught.value)


def test_parameters_are_overridden_and_written_into_the_program() -> None:
    text = "param w = 4\nparam v = 2 * w\nlocal(left=v)"
    assert _term(text) == _local(8, 0)
    elaborated = _elaborated(text, w="-1", v=0)
    assert elaborated.parameters == {"w": -1, "v": 0}
    assert show(elaborated.program) == "param w = -1\nparam v = 0\nlocal(left=v)\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("random(3)", "random(3, avoid=none)"),
        (
            "blocks(64) { local(1) + global([0, -1]) + random(3, pool=1:16) }",
            "blocks(64) { local(1) + global([0, -1])"
            " + random(3, pool=1:16, avoid=local(1) + global([0, -1])) }",
        ),
        (
            "full + (none + random(1)) + random(2)",
            "full + (none + random(1, avoid=full + none)) + random(2, avoid=full + none)",
        ),
        ("full + random(1, avoid=none)", "full + random(1, avoid=none)"),
        ("full + random(1) & none", "full + random(1, avoid=none) & none"),
        ("full + random(1) - none", "full + random(1, avoid=full) - none"),
        ("full - none + random(1)", "full - none + random(1, avoid=full - none)"),
        ("full - (none + random(1))", "full - (none + random(1, avoid=none))"),
        (
            "full + blocks(4) { random(1) }",
            "full + blocks(4) { random(1, avoid=none) }",
        ),
        (
            "mix(full + random(1), random(2))",
            "mix(full + random(1, avoid=full), random(2, avoid=none))",
        ),
        (
            "let r = none + random(1)\nlet f = full\nf + r & r + r",
            "let f = full\n"
            "f + (none + random(1, avoid=none)) & (none + random(1, avoid=none))"
            " + (none + random(1, avoid=f + none))",
        ),
        (
            "let r = random(1) & full\nlocal(1) + r",
            "let r = random(1, avoid=none) & full\nlocal(1) + r",
        ),
    ],
)
def test_what_draws_avoid_is_written_out(text: str, written: str) -> None:
    elaborated = _elaborated(text)
    assert show(elaborated.program) == written + "\n"
    again = _elaborated(written)
    assert again.resolve() == elaborated.resolve()
    assert again.program == elaborated.program


def test_draws_are_keyed_by_layer_and_head_where_the_program_has_them() -> None:
    def key(text: str) -> tuple[int, int]:
        drawn = _term(text, layer=1, head=2)
        assert isinstance(drawn, Random)
        return drawn.layer, drawn.head

    headers = "layers 2\nheads 4\n"
    assert key(headers + "random(1)") == (1, 2)
    assert key(headers + "random(1, share=head)") == (1, 0)
    assert key(headers + "random(1, share=layer)") == (0, 2)
    drawn = _term("heads 4\nrandom(1)", head=2)
    assert isinstance(drawn, Random)
    assert (drawn.layer, drawn.head) == (0, 2)


def test_inputs_are_listed_with_role_and_unit_in_the_order_of_the_text() -> None:
    text = (
        "let packed = same(document) & local(4)\n"
        "packed + global(question) + blocks(64) { listed(plan) } + packed"
    )
    inputs = _elaborated(text).inputs
    assert [(item.name, item.role) for item in inputs] == [
        ("document", "labels"),
        ("question", "set"),
        ("plan", "listed"),
    ]
    assert ["blocks" in item.shape for item in inputs] == [False, False, True]


def test_a_bound_name_is_its_value_where_an_input_could_stand() -> None:
    text = "let s = [0, n - 1]\nlet t = s\nlet p = period(4, 0:1)\nglobal(t) + columns(p)"
    elaborated = _elaborated(text)
    assert elaborated.inputs == ()
    union = elaborated.resolve().branches[0]
    assert isinstance(union, Union)
    assert union.terms[1] == Columns(Period(4, 0, 1))


def test_words_that_are_younger_than_programs_can_be_bound() -> None:
    text = "let before = local(2)\nbefore & before(visible) + visible(c, b)"
    program = elaborate(parse(text))
    assert [item.name for item in program.inputs] == ["visible", "c", "b"]
    (union,) = program.resolve(0, 0).branches
    (first, *_) = union.terms[0].terms  # type: ignore[union-attr]  # anything but a union fails here
    assert first == Local(Constant(2), Constant(2))


def test_conditions_over_positions_can_be_bound() -> None:
    text = "heads 2\nlet near = i - j < 4\nwhere(near and (head == 1 or j == 0 or i == n + head))"
    near = Compare("<", Subtract(_I, _J), Constant(4))
    assert _term(text, head=1) == Where(near)
    condition = _term(text, head=0)
    assert isinstance(condition, Where)
    assert isinstance(condition.condition, All)
    assert condition.condition.items[0] == near
    alternatives = condition.condition.items[1]
    assert isinstance(alternatives, Any)
    assert Compare("==", _I, Add(_N, Constant(0))) in alternatives.items


def test_integers_are_unbounded_until_they_enter_a_relation_and_saturate_there() -> None:
    assert _term("strided(2 ** 200 // 2 ** 198)") == Strided(4)
    assert _term("columns([2 ** 63 - 1])") == Columns(_at(2**32))
    assert _term("local(left=isqrt(17) + ceil_log2(9) + abs(-1) + max(1, 2, 3))") == _local(12, 0)
    assert _term("local(left=-7 // 2 + 5, right=-7 % 3)") == _local(1, 2)


def test_lets_that_double_are_evaluated_once_each() -> None:
    lets = "".join(f"let w{k + 1} = w{k} + w{k}\n" for k in range(60))
    assert _term(f"let w0 = 1\n{lets}strided(w60)") == Strided(2**32)


@pytest.mark.parametrize(("name", "text"), list(zoo()))
def test_published_systems_elaborate(name: str, text: str) -> None:
    elaborated = elaborate(parse(text))
    assert elaborated.warnings == ()
    again = elaborate(parse(show(elaborated.program)))
    for layer in range(elaborated.layers or 1):
        for head in range(elaborated.heads or 1):
            assert again.resolve(layer, head) == elaborated.resolve(layer, head)


def test_positions_outside_a_length_are_warned_of_in_their_own_unit() -> None:
    elaborated = _elaborated("let last = [-1, n]\nblocks(4) { columns([3]) } + columns(last)")
    assert [d.title for d in elaborated.length_warnings(12)] == [
        "position 12 is outside a length of 12",
        "position 3 is outside a length of 3",
    ]
    assert len(elaborated.length_warnings(13)) == 1


def test_reading_and_checking_import_nothing_heavy() -> None:
    script = (
        "import sys, patternc.language as l\n"
        "assert 'lark' not in sys.modules\n"
        "l.elaborate(l.parse('local(1)'))\n"
        "heavy = {'torch', 'sympy', 'networkx', 'numpy', 'islpy', 'rich', 'click', 'jinja2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
