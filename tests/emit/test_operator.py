"""The operators behind `attention`, as torch sees them."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from tests.emit.patterns import inputs_of, module_of, tensors

NAME = "draws beside a set"


@pytest.fixture
def call() -> tuple[torch.Tensor, ...]:
    return tuple(part.requires_grad_() for part in tensors(2, 33, 33, 8))


def test_opcheck(call: tuple[torch.Tensor, ...]) -> None:
    module, inputs = module_of(NAME), list(inputs_of(NAME, 33, 2).values())
    rest = [], inputs, 0, 0, 33, 0.3, 0.1, 7
    torch.library.opcheck(module._OPERATORS.cpu.default, (*([part] for part in call), *rest))
    for name, dtype in (("cpu", torch.float64), ("triton", torch.float32)):
        # The interpreter is slow: one query.
        plain = [
            [part.detach().to(dtype)[:, :, -rows:]]
            for part, rows in zip(call, (1, 33, 33), strict=True)
        ]
        out, lse = getattr(module._OPERATORS, name).default(*plain, *rest)
        torch.library.opcheck(getattr(module._OPERATORS, name).default, (*plain, *rest))
        backward = out, lse, *plain, out, lse, *rest, []
        torch.library.opcheck(getattr(module._OPERATORS, f"{name}_backward").default, backward)


def test_torch_compile_takes_it_whole(call: tuple[torch.Tensor, ...]) -> None:
    module, inputs = module_of(NAME), inputs_of(NAME, 33, 2)

    def loss(*parts: torch.Tensor) -> torch.Tensor:
        out, lse = module.attention(*parts, return_lse=True, **inputs)
        return (out * out).sum() + lse.sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = torch.autograd.grad(compiled(*call), call)
    for one, other in zip(found, torch.autograd.grad(loss(*call), call), strict=True):
        torch.testing.assert_close(one, other)


def test_a_second_derivative_is_an_error(call: tuple[torch.Tensor, ...]) -> None:
    out = module_of("causal").attention(*call)
    (first,) = torch.autograd.grad(out.square().sum(), call[0], create_graph=True)
    with pytest.raises(RuntimeError, match="gradient of a gradient"):
        first.sum().backward()


def test_the_same_file_can_be_loaded_twice(call: tuple[torch.Tensor, ...]) -> None:
    module = module_of("causal")
    spec = importlib.util.spec_from_file_location("a_second_time", str(module.__file__))
    assert spec is not None
    assert spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert torch.equal(again.attention(*call), module.attention(*call))


def test_triton_on_the_cpu_is_an_error_unless_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("causal")
    monkeypatch.setattr(module, "_INTERPRETED", False)
    q = torch.randn(1, 2, 20, 8)
    with pytest.raises(RuntimeError, match="the tensors are on the CPU"):
        module.attention(q, q, q, backend="triton")


Q = torch.zeros(1, 2, 32, 8)


@pytest.mark.parametrize(
    ("name", "call", "options", "message"),
    [
        (
            "band and tokens",
            (Q[:, :1], Q[:, :1], Q[:, :1]),
            {},
            "q has 1 heads; this pattern has 2",
        ),
        ("causal", (Q[0], Q, Q), {}, r"q has shape \[2, 32, 8\]; expected \[batch, heads"),
        ("causal", (Q, Q.double(), Q), {}, "k is torch.float64 on cpu, but q is torch.float32"),
        ("causal", (Q, Q, Q[:, :, :9]), {}, "shapes do not fit together"),
        ("causal", (Q, Q[..., :4], Q), {}, "shapes do not fit together"),
        ("causal", (Q.long(), Q.long(), Q.long()), {}, "expected a floating dtype"),
        ("causal", (Q, Q, Q), {"dropout": 1}, r"dropout is 1; expected a probability in \[0, 1\)"),
        ("causal", (Q, Q, Q), {"backend": "gpu"}, "backend 'gpu': expected 'auto'"),
        ("causal", (Q, Q, Q), {"plan": Q}, "unexpected argument 'plan'; the run-time inputs here"),
        ("draws", (Q.repeat(1, 2, 1, 1)[:, :3],) * 3, {"layer": 2}, "layer 2 is out of range"),
        ("documents", (Q, Q, Q), {}, "the run-time input 'document' is missing: labels"),
        (
            "documents",
            (Q, Q, Q),
            {"document": torch.zeros(31).long()},
            r"document has shape \[31\]",
        ),
        ("documents", (Q, Q, Q), {"document": torch.zeros(3, 32).long()}, "with batch 1"),
        ("documents", (Q, Q, Q), {"document": [0] * 32}, "document: expected a tensor"),
        ("questions by position", (Q, Q, Q), {"question": torch.ones(9) > 0}, "question has shape"),
        ("lists", (Q, Q, Q), {"plan": torch.zeros(2).long()}, r"plan has shape \[2\]"),
        ("lists", (Q, Q, Q), {"plan": torch.zeros(5, 2, 2).long()}, "and 2 heads"),
    ],
)
def test_a_wrong_call_says_what_is_expected(
    name: str, call: tuple[torch.Tensor, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        module_of(name).attention(*call, **options)
