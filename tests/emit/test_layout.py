"""Printed text: brackets, line breaks, and the value of every expression in each dialect."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from patternc.algebra import simplify
from patternc.algebra.evaluate import evaluate, holds
from patternc.emit.text.expressions import PYTHON, TORCH, TRITON, Dialect, Printer
from patternc.emit.text.layout import (
    AND,
    PRODUCT,
    SUM,
    Chain,
    Items,
    Keyword,
    Leaf,
    flat,
    laid_out,
)
from patternc.ir.formula import (
    Absolute,
    Add,
    Compare,
    Condition,
    Constant,
    Expression,
    Multiply,
    Not,
    Subtract,
    Variable,
)

ROW, KEY, LENGTH = Variable("i"), Variable("j"), Variable("n")
POSITIONS = {"i": np.arange(-9, 20)[:, None], "j": np.arange(20)[None, :], "n": np.asarray(20)}


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(st.integers(-9, 9).map(Constant), st.sampled_from([ROW, KEY, LENGTH]))
    positive = st.integers(1, 9).map(Constant)
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.builds(simplify.add, parts, parts),
            st.builds(simplify.subtract, parts, parts),
            st.builds(simplify.multiply, st.integers(-5, 5).map(Constant), parts),
            st.builds(simplify.floor_divide, parts, positive),
            st.builds(simplify.modulo, parts, positive),
            st.builds(simplify.minimum, parts, parts),
            st.builds(simplify.maximum, parts, parts),
            st.builds(lambda part: Absolute(Add(part, ROW)), parts),
        ),
        max_leaves=6,
    )


def conditions() -> st.SearchStrategy[Condition]:
    operators = st.sampled_from(["<", "<=", "==", "!=", ">=", ">"])
    compared = st.builds(
        Compare, operators, st.builds(Subtract, expressions(), st.just(ROW)), expressions()
    )
    return st.recursive(
        compared,
        lambda parts: st.one_of(
            st.lists(parts, min_size=1, max_size=3).map(simplify.conjunction),
            st.lists(parts, min_size=1, max_size=3).map(simplify.disjunction),
            st.builds(Not, parts),
        ),
        max_leaves=5,
    )


def value(text: str) -> np.ndarray:
    """A torch text at the test's positions."""
    names = {name: torch.from_numpy(array) for name, array in POSITIONS.items()}
    found = torch.as_tensor(eval(text, {"torch": torch}, names))
    return found.expand(29, 20).numpy()


@given(expressions())
def test_torch_text_has_the_value_of_its_expression(expression: Expression) -> None:
    wanted = np.broadcast_to(evaluate(expression, POSITIONS), (29, 20))
    assert np.array_equal(value(flat(Printer(TORCH).expression(expression))), wanted)


@given(conditions())
def test_torch_text_broken_over_lines_has_the_value_of_its_condition(condition: Condition) -> None:
    wanted = np.broadcast_to(holds(condition, POSITIONS), (29, 20))
    text = laid_out(Printer(TORCH).condition(condition), "(", 60, ")").strip()
    assert np.array_equal(value(text), wanted)


@given(expressions())
def test_python_text_has_the_value_of_its_expression(expression: Expression) -> None:
    names = {"i": -3, "j": 5, "n": 20}
    text = flat(Printer(PYTHON).expression(expression))
    assert eval(text, {}, names) == evaluate(expression, names)


def shown(expression: Expression, dialect: Dialect = TORCH) -> str:
    return flat(Printer(dialect).expression(expression))


def test_only_the_needed_brackets_are_printed() -> None:
    assert shown(Subtract(ROW, Subtract(KEY, LENGTH))) == "i - (j - n)"
    assert shown(Subtract(Subtract(ROW, KEY), LENGTH)) == "i - j - n"
    assert shown(Multiply(Constant(2), Add(ROW, KEY))) == "2 * (i + j)"
    assert shown(Add(ROW, Multiply(Constant(2), KEY))) == "i + 2 * j"


def test_triton_divides_by_the_helper_only_where_an_operand_may_be_negative() -> None:
    assert shown(simplify.floor_divide(ROW, Constant(64)), TRITON) == "_floor_div(i, 64)"
    assert shown(simplify.floor_divide(KEY, Constant(64)), TRITON) == "j // 64"
    assert (
        shown(simplify.modulo(Subtract(KEY, Constant(1)), Constant(3)), TRITON)
        == "_floor_mod(j - 1, 3)"
    )


def test_a_decided_condition_is_still_a_tensor() -> None:
    assert flat(Printer(TORCH).condition(simplify.TRUE)) == "j >= 0"
    assert flat(Printer(TORCH).condition(simplify.FALSE)) == "j < 0"


def test_long_chains_break_before_their_loosest_operator() -> None:
    long = Leaf("x" * 40)
    product = Chain(PRODUCT, long, (("*", Leaf("y")),))
    text = laid_out(Chain(SUM, product, (("+", long), ("-", product))), "return ", 4)
    assert text.splitlines() == [
        "    return (",
        f"        {'x' * 40} * y",
        f"        + {'x' * 40}",
        f"        - {'x' * 40} * y",
        "    )",
    ]


def test_a_bracketed_last_operand_is_broken_alone() -> None:
    inner = Chain(SUM, Leaf("a" * 60), (("+", Leaf("b" * 20)),))
    text = laid_out(Chain(PRODUCT, Leaf("c" * 20), (("*", inner),)), "return ", 4)
    assert text.splitlines() == [
        f"    return {'c' * 20} * (",
        f"        {'a' * 60} + {'b' * 20}",
        "    )",
    ]


def test_sequences_break_one_item_a_line_and_single_tuples_keep_their_comma() -> None:
    assert flat(Items((Leaf("1"),))) == "(1,)"
    text = laid_out(Keyword("items", Items((Leaf("1" * 60), Leaf("2" * 60)))), "", 0)
    assert text.splitlines() == ["items=(", f"    {'1' * 60},", f"    {'2' * 60},", ")"]


def test_comparisons_do_not_chain() -> None:
    compared = Printer(TORCH).condition(Compare("<", ROW, KEY))
    assert flat(Chain(AND, compared, (("&", compared),))) == "(i < j) & (i < j)"
