"""Inputs that only some layers use: they are needed there, and taken everywhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from patternc import Pattern
from patternc.semantics.errors import InputError

PROGRAM = """
layers 6
layer == 0 -> full with t5(8, 20, name=near)
layer == 1 -> gate(full, columns([0]), local(3), name=shares)
layer == 2 -> local(4) + listed(plan) + random(2, avoid=columns(kept)) + full on memory(4)
layer == 3 -> local(3) with absolute(places) with sink
layer == 4 -> (local(3) + global([0], projection=own)) with bias(table)
else       -> local(2)
"""
USED = [{"near"}, {"shares"}, {"plan", "kept", "memory_kv"}, {"places", "sinks"}, {"own", "table"}]
PATTERN = Pattern.parse(PROGRAM)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64)


def call() -> tuple[list[torch.Tensor], dict[str, Any]]:
    """q, k, v, and what all layers together use."""
    torch.manual_seed(0)
    parts = [draw(2, 2, 20, 16) for _ in range(3)]
    inputs = {
        "near": draw(8, 2),
        "shares": draw(3, 2).sigmoid(),
        "plan": torch.arange(20)[:, None],
        "kept": torch.tensor([1, 5]),
        "memory_kv": (draw(2, 2, 4, 16), draw(2, 2, 4, 16)),
        "places": draw(20, 16),
        "sinks": draw(2),
        "own": tuple(draw(2, 2, 20, 16) for _ in range(3)),
        "table": draw(2, 20, 20),
    }
    return parts, inputs


@pytest.mark.parametrize("layer", range(6))
def test_a_layer_needs_what_its_pattern_uses_and_no_more(layer: int) -> None:
    parts, inputs = call()
    own = {name: inputs[name] for name in [*USED, set()][layer]}
    found = PATTERN.attention(*parts, layer=layer, **own)
    wanted = PATTERN.reference(*parts, layer=layer, **own)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    for name in own:
        others = {other: value for other, value in own.items() if other != name}
        with pytest.raises(TypeError, match=f"'{name}' is missing"):
            PATTERN.attention(*parts, layer=layer, **others)


@pytest.mark.parametrize("layer", range(6))
def test_the_inputs_of_other_layers_change_nothing(layer: int) -> None:
    parts, inputs = call()
    own = {name: inputs[name] for name in [*USED, set()][layer]}
    alone = PATTERN.attention(*parts, layer=layer, **own)
    assert torch.equal(PATTERN.attention(*parts, layer=layer, **inputs), alone)


def test_positions_of_a_layer_with_memory_serve_one_without() -> None:
    parts, inputs = call()
    tokens = {name: inputs[name] for name in ("places", "sinks")}
    alone = PATTERN.attention(*parts, layer=3, **tokens)
    longer = torch.cat([draw(4, 16), inputs["places"]])
    found = PATTERN.attention(*parts, layer=3, **{**inputs, "places": longer})
    assert torch.equal(found, alone)


def test_the_mask_of_a_layer_needs_no_lists_of_others() -> None:
    module, (_, inputs) = PATTERN.module, call()
    listed = {name: inputs[name] for name in ("plan", "kept")}
    assert torch.equal(module.mask(20, layer=5), module.mask(20, layer=5, **listed))
    assert module.mask(20, layer=5)[0].tolist() == PATTERN.mask(20, layer=5)[0].tolist()
    with pytest.raises(TypeError, match="'plan' is missing"):
        module.mask(20, layer=2, kept=listed["kept"])


def test_an_input_of_another_layer_is_known_and_not_looked_at() -> None:
    parts, inputs = call()
    given = {name: value for name, value in inputs.items() if name != "memory_kv"}
    out = PATTERN.attention(*parts, layer=5, memory_kv=inputs["near"], **given)
    assert torch.equal(out, PATTERN.attention(*parts, layer=5, **given))
    with pytest.raises(TypeError, match="unexpected argument 'far'"):
        PATTERN.attention(*parts, layer=5, far=inputs["near"])


def test_a_list_that_a_layer_lacks_is_named_by_the_evaluator_too() -> None:
    with pytest.raises(InputError, match="plan"):
        PATTERN.mask(20, layer=2, kept=torch.tensor([1]))
