"""`torch.autocast`: calls have the dtype that torch's own attention would have."""

from __future__ import annotations

import pytest
import torch

from tests.emit.dense import Tensor, compiled, draw

ALL = "local(3) + full on memory(7) + global([0], projection=own)"
DTYPES = [
    (torch.float32, torch.float32, torch.bfloat16),
    (torch.float32, torch.float32, torch.float32),
    (torch.bfloat16, torch.float32, torch.float16),
]


def sdpa(*parts: Tensor) -> Tensor:
    return torch.nn.functional.scaled_dot_product_attention(*parts)


@pytest.mark.parametrize("backend", ["cpu", "reference", "triton"])
@pytest.mark.parametrize("dtypes", DTYPES)
@pytest.mark.parametrize("chosen", [torch.bfloat16, torch.float16])
def test_parts_of_several_dtypes_are_cast_as_sdpa_does(
    backend: str, dtypes: tuple[torch.dtype, ...], chosen: torch.dtype
) -> None:
    torch.manual_seed(0)
    parts = [draw(1, 2, 20, 16).to(dtype).requires_grad_() for dtype in dtypes]
    with torch.autocast("cpu", dtype=chosen):
        found = compiled("full").attention(*parts, backend=backend)
        wanted = sdpa(*parts)
    assert found.dtype == wanted.dtype == chosen
    torch.testing.assert_close(found, wanted, rtol=2e-2, atol=2e-2)
    gradients = torch.autograd.grad(found.sum(), parts)
    assert [part.dtype for part in gradients] == list(dtypes)


def test_float64_stays_and_does_not_mix_as_with_sdpa() -> None:
    q, k, v = (draw(1, 2, 20, 16) for _ in range(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = compiled("full").attention(q, k, v)
        assert out.dtype == sdpa(q, k, v).dtype == torch.float64
        with pytest.raises(RuntimeError):
            sdpa(q.float(), k, v)
        with pytest.raises(ValueError, match="they must agree"):
            compiled("full").attention(q.float(), k, v)


def test_autocast_of_another_device_or_switched_off_changes_nothing() -> None:
    parts = [draw(1, 2, 20, 16).float() for _ in range(3)]
    for context in (
        torch.autocast("cpu", enabled=False),
        torch.autocast("cuda", dtype=torch.float16),
    ):
        with context:
            assert compiled("full").attention(*parts).dtype == torch.float32


def test_memories_and_projections_are_cast_too() -> None:
    torch.manual_seed(0)
    q, k, v, *own = (draw(1, 2, 20, 16).float() for _ in range(6))
    memory = draw(1, 2, 7, 16).bfloat16(), draw(1, 2, 7, 16).float()
    inputs = {"memory_kv": memory, "own": (own[0], own[1].bfloat16(), own[2])}
    for backend in ("cpu", "reference"):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = compiled(ALL).attention(q, k, v, **inputs, backend=backend)
        low = {name: tuple(part.bfloat16() for part in parts) for name, parts in inputs.items()}
        parts = (q.bfloat16(), k.bfloat16(), v.bfloat16())
        wanted = compiled(ALL).attention(*parts, **low, backend=backend)
        assert torch.equal(found, wanted)


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("full with relative(4)", {"relative_keys": (9, 16)}),
        ("full with bias(table)", {"table": (2, 20, 20)}),
        ("full with t5(8, 20)", {"t5_bias": (8, 2)}),
        ("full on project(5)", {"project_weights": (5, 20)}),
        ("full with sink", {"sinks": (2,)}),
        ("full with xl_relative", {"xl_u": (2, 16), "xl_v": (2, 16), "xl_r": (20, 2, 16)}),
    ],
)
def test_tables_keep_their_precision_and_nothing_inside_is_cast(
    text: str, inputs: dict[str, tuple[int, ...]]
) -> None:
    torch.manual_seed(0)
    q, k, v = (draw(1, 2, 20, 16).bfloat16() for _ in range(3))
    given = {name: draw(*sizes).float() for name, sizes in inputs.items()}
    if "project_weights" in given:
        given["project_weights"] = (given["project_weights"],) * 2
    wanted = compiled(text).attention(q, k, v, **given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = compiled(text).attention(q.float(), k, v.float(), **given)
    assert torch.equal(found, wanted)


def test_autocast_around_a_compiled_call_is_traced_as_one_graph() -> None:
    module, parts = compiled("local(3)"), [draw(1, 2, 20, 16).float() for _ in range(3)]
    traced = torch.compile(module.attention, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, wanted = traced(*parts), module.attention(*parts)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, wanted)
