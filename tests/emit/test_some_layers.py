"""Modifiers, sources, projections and combinations that only some layers and heads have."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from patternc.runtime.selftest import with_self_test
from tests.emit.dense import Tensor, compiled, converted, detached

KINDS = {
    "alibi": "full with alibi",
    "t5": "full with t5(8, 20)",
    "relative": "full with relative(4)",
    "bias": "full with bias(table)",
    "distance_aware": "full with distance_aware",
    "softspan": "local(9) with softspan(4, z=span)",
    "xl_relative": "full with xl_relative",
    "rotary": "full with rotary(10000)",
    "absolute": "full with absolute(places)",
    "softcap": "full with softcap(5)",
    "scale": "full with scale(0.5)",
    "sink": "full with sink",
    "memory": "local(3) + full on memory(7)",
    "compressed": "local(3) + full on memory(4) + full on compressed(3, rate=2)",
    "pool": "local(3) + full on pool(4, sum, tail=merge) with t5(8, 20)",
    "project": "full on project(5)",
    "persistent": "local(3) + full on persistent(5)",
    "stream": "local(3) + full on stream(g, 5)",
    "encoder": "local(3) + full on encoder with bias(table)",
    "tree": "diagonal + contextual(1) on tree(2)",
    "projection": "local(3) + global([0, 5], projection=own)",
    "gate": "gate(local(3), strided(3), name=share)",
    "sum": "sum(local(3) with alibi, strided(3) with t5(8, 20))",
    "mean": "mean(local(3), rows([1]))",
    "mix": "mix(local(3), strided(2))",
}
# Layer 0 has none of it, layer 1 all, layer 2 in one head.
SOME = "heads 2\nlayers 3\nlayer == 1 -> {}\nlayer == 2 and head == 1 -> {}\nelse -> local(5)"


def results(
    module: ModuleType, layer: int, backend: str, dtype: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    """The output, and the gradients of q, k, v and every floating input."""
    torch.manual_seed(0)
    *parts, inputs = with_self_test(module)._sample_call(20, 9)
    given: dict[str, Any] = dict(zip("qkv", parts, strict=True)) | inputs
    leaves = {name: detached(converted(value, dtype)) for name, value in given.items()}
    out = module.attention(**leaves, layer=layer, backend=backend)
    flat = [part for leaf in leaves.values() for part in (leaf if type(leaf) is tuple else [leaf])]
    learned = [part for part in flat if part.requires_grad]
    weight = torch.linspace(-1, 1, out.numel(), dtype=torch.float64).view(out.shape)
    loss = (out * weight).sum()
    return out, list(torch.autograd.grad(loss, learned, materialize_grads=True, allow_unused=True))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_layers_with_and_without_what_others_have(kind: str) -> None:
    module = compiled(SOME.format(KINDS[kind], KINDS[kind]))
    for layer in range(3):
        out, wanted = results(module, layer, "reference", torch.float64)
        for backend, dtype, bound in (
            ("cpu", torch.float64, 1e-9),
            ("triton", torch.float32, 5e-5),
        ):
            found, gradients = results(module, layer, backend, dtype)
            for one, other in zip([found, *gradients], [out, *wanted], strict=True):
                torch.testing.assert_close(one.double(), other, rtol=bound, atol=bound)
