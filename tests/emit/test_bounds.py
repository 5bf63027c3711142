"""Predicates as bounds: whatever the formula, the printed text allows the pairs that it allows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patternc.emit.text.bounds import Bounded, keys_of_rows, printed, rows_of_keys
from patternc.emit.text.expressions import POSITIONS, PYTHON, TRITON, Printer
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import flat
from patternc.ir.formula import (
    Add,
    All,
    Any,
    Compare,
    Condition,
    Constant,
    Expression,
    FloorDivide,
    Modulo,
    Multiply,
    Not,
    Subtract,
    Variable,
)

ROW, KEY, LENGTH = Variable("i"), Variable("j"), Variable("n")
ROWS, KEYS = np.arange(-9, 31)[:, None], np.arange(31)[None, :]
TL = SimpleNamespace(minimum=np.minimum, maximum=np.maximum, where=np.where, abs=np.abs)

positions = st.sampled_from([ROW, KEY])
sizes = st.integers(1, 7).map(Constant)
terms = st.one_of(
    positions,
    st.just(LENGTH),
    st.integers(-12, 12).map(Constant),
    st.builds(FloorDivide, positions, sizes),
    st.builds(FloorDivide, st.builds(Add, positions, sizes), sizes),
    st.builds(Modulo, positions, sizes),
    st.builds(Multiply, st.integers(-3, 3).map(Constant), positions),
)
sums: st.SearchStrategy[Expression] = st.recursive(
    terms,
    lambda inner: st.builds(Add, inner, terms) | st.builds(Subtract, inner, terms),
    max_leaves=3,
)
comparisons = st.builds(Compare, st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), sums, sums)
conditions: st.SearchStrategy[Condition] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda items: All(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Any(tuple(items))),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


def allowed(text: str, n: int, m: int) -> np.ndarray:
    names = {"i": ROWS, "j": KEYS, "n": np.int64(n), "m": np.int64(m), "tl": TL}
    divisions = {"_floor_div": np.floor_divide, "_floor_mod": np.mod}
    return np.broadcast_to(eval(text, {**names, **divisions}), (ROWS.size, KEYS.size))


def plain(value: Condition, n: int) -> np.ndarray:
    return allowed(flat(Printer(PYTHON, POSITIONS).condition(value)), n, 31)


@given(conditions, st.integers(1, 31))
def test_keys_of_rows_are_those_of_the_condition_below_m(value: Condition, m: int) -> None:
    text = flat(printed(keys_of_rows(value), Printer(TRITON)))
    assert np.array_equal(allowed(text, 24, m), plain(value, 24) & (m > KEYS)), text


@given(conditions)
def test_rows_of_keys_are_those_of_the_condition(value: Condition) -> None:
    text = flat(printed(rows_of_keys(value), Printer(TRITON)))
    assert np.array_equal(allowed(text, 24, 31), plain(value, 24)), text


WINDOW = All(
    (
        Compare(">=", Subtract(KEY, ROW), Constant(-4)),
        Compare("<=", Subtract(KEY, ROW), Constant(4)),
    )
)
FIRST = All((Compare(">=", ROW, Constant(0)), Compare("==", ROW, Constant(0))))
CASES = [
    (WINDOW, "(j >= i - 4) & (j <= tl.minimum(i + 4, m - 1))"),
    (All((*WINDOW.items, Compare("<=", KEY, ROW))), "(j >= i - 4) & (j <= tl.minimum(i, m - 1))"),
    (
        Compare("==", FloorDivide(KEY, Constant(8)), FloorDivide(ROW, Constant(8))),
        "(j >= 8 * _floor_div(i, 8)) & (j <= tl.minimum(8 * _floor_div(i, 8) + 7, m - 1))",
    ),
    (
        Any((WINDOW, Compare("==", KEY, Constant(0)))),
        "(j >= i - 4) & (j <= tl.minimum(i + 4, m - 1)) | (j <= tl.minimum(0, m - 1))",
    ),
    (Compare(">=", KEY, Constant(0)), "j <= m - 1"),
]


@pytest.mark.parametrize(("value", "text"), CASES)
def test_common_patterns_are_two_comparisons(value: Condition, text: str) -> None:
    assert flat(printed(keys_of_rows(value), Printer(TRITON))) == text


def test_alternatives_that_are_denied_are_dropped() -> None:
    found = keys_of_rows(All((Any((WINDOW, FIRST)), Not(FIRST))))
    assert isinstance(found, Bounded)


def test_all_lengths_and_positions_are_wide_where_products_of_them_might_not_fit() -> None:
    functions = Functions()
    value = Compare("<", Multiply(Constant(500), LENGTH), Multiply(Constant(1000003), KEY))
    name = functions.kernel_predicate(keys_of_rows(value), [], True, "_allowed_#_kernel")
    widened = ", ".join(f"{part}.to(tl.int64)" for part in "ijnm")
    assert f"i, j, n, m = {widened}\n" in functions.texts[name]
