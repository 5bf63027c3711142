"""The operators behind `attention`, as torch sees them."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.autograd import forward_ad

from patternc.runtime.selftest import with_self_test
from tests.emit.patterns import inputs_of, module_of, tensors
from tests.emit.test_cpu import module_of as module_of_text

NAME = "draws beside a set"


@pytest.fixture
def call() -> tuple[torch.Tensor, ...]:
    return tuple(part.requires_grad_() for part in tensors(2, 33, 33, 8))


def test_opcheck(call: tuple[torch.Tensor, ...]) -> None:
    module, inputs = module_of(NAME), list(inputs_of(NAME, 33, 2).values())
    rest = [], inputs, 0, 0, 33, 0.3, None, None, 0.1, 7
    torch.library.opcheck(module._OPERATORS.cpu.default, (*([part] for part in call), *rest))
    for name, dtype in (("cpu", torch.float64), ("triton", torch.float32)):
        # The interpreter is slow: one query.
        plain = [
            [part.detach().to(dtype)[:, :, -rows:]]
            for part, rows in zip(call, (1, 33, 33), strict=True)
        ]
        out, lse = getattr(module._OPERATORS, name).default(*plain, *rest)
        torch.library.opcheck(getattr(module._OPERATORS, name).default, (*plain, *rest))
        backward = out, lse, out, lse, [], *plain, *rest
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


SIZED = {
    "draws and tokens": "blocks(16) { local(1) + random(1) } + global([0])",
    "classes": "local(4, dilation=5)",
    "logits without keys": "heads 2\nhead < 1 -> local(4) with sink\nelse -> local(4)",
    "branches": "gate(local(3), full, name=share)",
    "biases of pairs": "local(9) with bias(near)",
    "sets and labels": "same(document) & local(9) + global(question)",
    "memory": "causal\n(local(left=9) + full on memory(8)) with xl_relative",
    "positions": "local(9) with absolute(places)",
    "pools": "local(3) + full on pool(4, mean)",
}


@pytest.mark.parametrize("name", SIZED)
def test_a_compiled_call_is_compiled_once_more_when_sizes_change_and_never_again(name: str) -> None:
    """torch takes the first sizes for constants, and all when it meets others for symbols."""
    module = module_of_text(SIZED[name])
    count = CompileCounter()
    torch._dynamo.reset()

    @torch.compile(fullgraph=True, backend=count)
    def attention(seed: int, call: dict[str, torch.Tensor]) -> torch.Tensor:
        out: torch.Tensor = module.attention(**call, dropout=0.1, seed=seed)
        return out

    for seed, n in enumerate((24, 36, 44, 52, 64)):
        q, k, v, inputs = with_self_test(module)._sample_call(n, n, 8)
        call = {"q": q, "k": k, "v": v, **inputs}
        wanted = module.attention(**call, dropout=0.1, seed=seed + 2)
        assert torch.equal(attention(seed + 2, call), wanted)
    assert count.frame_count == 2


def test_torch_compile_draws_a_seed_for_every_call() -> None:
    module, q = module_of("causal"), torch.randn(1, 2, 40, 8)
    compiled = torch.compile(
        lambda part: module.attention(part, part, part, dropout=0.5),
        fullgraph=True,
        backend="aot_eager",
    )
    assert not torch.equal(compiled(q), compiled(q))


Ask = Callable[[Callable[..., torch.Tensor]], tuple[torch.Tensor, ...]]


def _square(attention: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *parts: attention(*parts).square().sum()


def _transforms(*parts: torch.Tensor) -> dict[str, Ask]:
    """What torch.func asks of q, k and v [3, batch, heads, n, d]."""
    every = tuple(range(len(parts)))
    one = tuple(part[0] for part in parts)
    return {
        "vmap": lambda of: (torch.func.vmap(of)(*parts),),
        "grad": lambda of: torch.func.grad(_square(of), every)(*one),
        "vmap of grad": lambda of: torch.func.vmap(torch.func.grad(_square(of), every))(*parts),
        "grad of vmap": lambda of: torch.func.grad(_square(torch.func.vmap(of)), every)(*parts),
        "vmap of some": lambda of: (
            torch.func.vmap(of, (2, *[None] * (len(parts) - 1)), 1)(
                parts[0].movedim(0, 2), *one[1:]
            ),
        ),
        "jacrev": lambda of: (torch.func.jacrev(lambda q: of(q, *one[1:])[..., :3, :2])(one[0]),),
    }


MAPPED = {
    "causal & local(3)": (),
    "local(4) with bias(near)": ("near",),
    "causal & same(document)": ("document",),
    "(causal & local(5)) with sink": ("sinks",),
}


@pytest.mark.parametrize("text", MAPPED)
def test_torch_func_maps_and_differentiates_as_it_does_the_reference(text: str) -> None:
    """Tables are mapped over as well, which a kernel takes one by one."""
    module, n = module_of_text(text), 9
    drawn = {
        "near": torch.randn(3, 2, n, n),
        "sinks": torch.randn(3, 2),
        "document": torch.randint(0, 3, (3, 2, n)).sort(-1).values,
    }
    parts, names = [torch.randn(3, 2, 2, n, 8) for _ in range(3)], MAPPED[text]
    floats = [drawn[name] for name in names if name != "document"]

    def attention(backend: str, *given: torch.Tensor) -> torch.Tensor:
        own = {"document": drawn["document"][0], **dict(zip(names, given[3:], strict=False))}
        own = {name: own[name] for name in names}
        out: torch.Tensor = module.attention(*given[:3], backend=backend, **own)
        return out

    for name, ask in _transforms(*parts, *floats).items():
        found, wanted = (
            ask(functools.partial(attention, backend)) for backend in ("cpu", "reference")
        )
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4, msg=name)
    if "document" in names:
        mapped = torch.func.vmap(functools.partial(attention, "cpu"))(*parts, drawn["document"])
        alone = [
            attention("cpu", *(part[at] for part in (*parts, drawn["document"]))) for at in range(3)
        ]
        torch.testing.assert_close(mapped, torch.stack(alone))


def test_a_mapped_call_with_a_seed_drops_what_it_does_by_itself() -> None:
    module, q = module_of("causal"), torch.randn(3, 1, 2, 9, 8)
    seeds = torch.tensor([3, 4, 3])

    def attention(part: torch.Tensor, seed: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = module.attention(part, part, part, dropout=0.4, seed=seed)
        return out

    found = torch.func.vmap(attention)(q, seeds)
    wanted = [attention(*each) for each in zip(q, seeds, strict=True)]
    torch.testing.assert_close(found, torch.stack(wanted))


@pytest.mark.parametrize("backend", ["cpu", "triton"])
def test_what_kernels_have_no_rules_for_is_an_error_and_never_a_derivative_of_zero(
    backend: str,
) -> None:
    module, q = module_of("causal"), torch.randn(2, 2, 9, 8)

    def attention(part: torch.Tensor, backend: str = backend) -> torch.Tensor:
        out: torch.Tensor = module.attention(part, part, part, backend=backend)
        return out

    def pushed(attention: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        with forward_ad.dual_level():
            tangent = forward_ad.unpack_dual(attention(forward_ad.make_dual(q, q))).tangent
            assert tangent is not None
            return tangent

    def twice(attention: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        first = torch.func.grad(_square(attention))
        found: torch.Tensor = torch.func.grad(lambda part: first(part).square().sum())(q)
        return found

    asked: list[tuple[Callable[..., torch.Tensor], str]] = [
        (lambda attention: torch.func.jvp(attention, (q,), (q,))[1], "no forward-mode derivatives"),
        (pushed, "no forward-mode derivatives"),
        (twice, "a gradient of a gradient"),
    ]
    for ask, match in asked:
        with pytest.raises(RuntimeError, match=match):
            ask(attention)
        assert ask(functools.partial(attention, backend="reference")).abs().max() > 0


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
        ("causal", (Q, Q, Q), {"dropout": "some"}, "dropout is 'some'; expected a number"),
        ("causal", (Q, Q, Q), {"dropout": 1 - 2**-33}, r"at most 1 - 2\*\*-32"),
        ("causal", (Q, Q, Q), {"dropout": 0.1, "seed": 1.5}, "seed is 1.5; expected an integer"),
        ("causal", (Q, Q, Q), {"dropout": 0.1, "seed": Q}, "expected an integer, or a tensor of"),
        ("causal", (Q, Q, Q), {"seed": 1 << 32}, "seed is 4294967296; expected an integer of 32"),
        ("causal", (Q, Q, Q), {"scale": Q.sum().requires_grad_()}, "scale has no gradient; mul"),
        ("causal", (Q[..., :0], Q[..., :0], Q), {}, "q has head size 0; expected 1 or more"),
        ("causal", (Q, Q, Q[..., :0]), {}, "v has head size 0; expected 1 or more"),
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
