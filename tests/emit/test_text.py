"""Printed text: brackets, line breaks, and the value of every expression in each dialect."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from patternc.emit.printer import PYTHON, TORCH, TRITON, Printer
from patternc.emit.text import AND, PRODUCT, SUM, Chain, Keyword, Leaf, Sequence, flat, laid_out
from patternc.language.formula import (
    Absolute,
    Add,
    All,
    Any,
    Compare,
    Constant,
    Expression,
    FloorDivide,
    Maximum,
    Minimum,
    Modulo,
    Multiply,
    Not,
    Subtract,
    Truth,
    Variable,
)
from patternc.relation.evaluation import evaluate, holds

I, J, N = Variable("i"), Variable("j"), Variable("n")


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(st.integers(-9, 9).map(Constant), st.sampled_from([I, J, N]))
    positive = st.integers(1, 9).map(Constant)
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.builds(Add, parts, parts),
            st.builds(Subtract, parts, parts),
            st.builds(Multiply, st.integers(-5, 5).map(Constant), parts),
            st.builds(FloorDivide, parts, positive),
            st.builds(Modulo, parts, positive),
            st.builds(Minimum, parts, parts),
            st.builds(Maximum, parts, parts),
            st.builds(Absolute, parts),
        ),
        max_leaves=6,
    )


class Blocks:
    """The few names of `triton.language` that printed text uses, with truncating division."""

    minimum = staticmethod(lambda x, y: np.minimum(x, y))
    maximum = staticmethod(lambda x, y: np.maximum(x, y))
    abs = staticmethod(np.abs)


POSITIONS = {"i": np.arange(-9, 20)[:, None], "j": np.arange(20)[None, :], "n": np.asarray(20)}


@given(expressions())
def test_torch_text_has_the_value_of_its_expression(expression: Expression) -> None:
    wanted = evaluate(expression, POSITIONS)
    names = {name: torch.from_numpy(value) for name, value in POSITIONS.items()}
    constants = {"i": Add(I, Constant(0))}
    del constants
    text = flat(Printer(TORCH).expression(Subtract(expression, Subtract(I, I))))
    found = eval(text, {"torch": torch}, names)
    assert np.array_equal(np.broadcast_to(wanted, (29, 20)), found.expand(29, 20).numpy())
