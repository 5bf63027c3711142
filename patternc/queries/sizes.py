"""Sizes of the call, `size NAME`, put in place: a program whose sizes are known has none.

Converts a program and its run-time inputs to the same program with numbers for its sizes, and the
other inputs; one such pair for each batch element where the sizes of these differ. What is asked
then has closed forms as the program with `param` in place of `size` has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc.frontend import Frontend
from patternc.queries.arguments import Input, arrays, batch_of, batched, one_element
from patternc.semantics.errors import InputError
from patternc.semantics.input_arrays import check_sizes

Inputs = Mapping[str, Input]


def fixed(frontend: Frontend, inputs: Inputs, what: str) -> tuple[Frontend, Inputs]:
    """The program and the inputs of the one batch element that `what` is about."""
    if names := _given_sizes(frontend, inputs):
        known = frontend.program.inputs
        given = arrays(inputs, known)
        for name in names:
            check_sizes(name, given[name])
        one_element(given, known, what)
    return _placed(frontend, inputs)


def _placed(frontend: Frontend, inputs: Inputs) -> tuple[Frontend, Inputs]:
    """The program and the other inputs, of whatever batch, for sizes that are one number each."""
    names = _given_sizes(frontend, inputs)
    if not names:
        return frontend, inputs
    given = arrays({name: inputs[name] for name in names}, frontend.program.inputs)
    for name in names:
        check_sizes(name, given[name])
    values = {name: int(given[name].reshape(())) for name in names}
    return frontend.with_sizes(values), {n: v for n, v in inputs.items() if n not in values}


def by_element(frontend: Frontend, inputs: Inputs) -> Iterator[tuple[Frontend, Inputs]]:
    """The program and the inputs of each batch element; once where no size differs.

    Raises `InputError` where a size has no number.
    """
    names = _given_sizes(frontend, inputs)
    for item in frontend.program.inputs:
        if item.role == "size" and item.name not in names:
            raise InputError(f"the size `{item.name}` is missing; pass {item.name}=..")
    several = [name for name in names if np.ndim(inputs[name]) == 1 and len(inputs[name]) > 1]
    if not several:
        yield _placed(frontend, inputs)
        return
    known = frontend.program.inputs
    given = arrays(inputs, known)
    roles = {item.name: item.role for item in known}
    for name in names:
        check_sizes(name, given[name])
    batch = batch_of(given, known)
    for element in range(batch):
        own = {name: _cut(value, roles[name], element) for name, value in given.items()}
        yield fixed(frontend, own, "one batch element")


def _given_sizes(frontend: Frontend, inputs: Inputs) -> list[str]:
    known = frontend.program.inputs
    return [item.name for item in known if item.role == "size" and item.name in inputs]


def _cut(value: NDArray[Any], role: str, element: int) -> NDArray[Any]:
    """One batch element, whose dimension stays."""
    if value.ndim not in batched(role):
        return value
    at = min(element, len(value) - 1)
    return value[at : at + 1]
