"""Training around a module: recomputed layers; in the sweep two processes and Inductor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from patternc.nn import Attention

WIDTH, HEADS, N = 32, 4, 40
TEXT = "(local(3) + columns([0])) with sink"


def _attention(dropout: float = 0.0) -> Attention:
    torch.manual_seed(5)
    return Attention(WIDTH, HEADS, TEXT, dropout=dropout)


def _states() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(2, N, WIDTH, generator=torch.Generator().manual_seed(1))
    return x.requires_grad_(), torch.arange(N) >= torch.tensor([[N], [N - 9]])


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_layer_that_is_computed_again_has_the_same_gradients(reentrant: bool) -> None:
    """With dropout, whose seed is drawn again; with padding, too."""
    attention, (x, padding) = _attention(dropout=0.3), _states()

    def gradients(recomputed: bool) -> tuple[torch.Tensor, ...]:
        torch.manual_seed(2)
        call = (x, x, x, padding)
        if recomputed:
            out = checkpoint(attention, *call, use_reentrant=reentrant)[0]
        else:
            out = attention(*call)[0]
        attention.zero_grad()
        x.grad = None
        out.square().sum().backward()
        return tuple(part.grad for part in (x, *attention.parameters()) if part.grad is not None)

    found, wanted = gradients(recomputed=True), gradients(recomputed=False)
    assert len(found) > 4
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


_RANK = """
import sys, torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from tests.nn.test_training import _attention, _states

rank, store, out = int(sys.argv[1]), *sys.argv[2:]
distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
model = DistributedDataParallel(_attention())
x, padding = _states()
model(x[rank : rank + 1], key_padding_mask=padding[rank : rank + 1])[0].square().sum().backward()
if rank == 0:
    torch.save({name: part.grad for name, part in model.module.named_parameters()}, out)
distributed.destroy_process_group()
"""


@pytest.mark.sweep
def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RANK]
    files = [str(tmp_path / "store"), str(tmp_path / "gradients.pt")]
    root = Path(__file__).parents[2]
    ranks = [subprocess.Popen([*command, str(rank), *files], cwd=root) for rank in (0, 1)]
    try:
        assert [each.wait(timeout=240) for each in ranks] == [0, 0]
    finally:
        for each in ranks:
            each.kill()
    attention, (x, padding) = _attention(), _states()
    attention(x, key_padding_mask=padding)[0].square().sum().backward()
    found = torch.load(files[1])
    for name, part in attention.named_parameters():
        assert part.grad is not None
        # Of ranks the mean is taken, of a batch the sum.
        torch.testing.assert_close(found[name] * 2, part.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.sweep
@pytest.mark.parametrize("padded", [False, True])
def test_inductor_compiles_a_training_step(padded: bool) -> None:
    torch.compiler.reset()
    attention, (x, padding) = _attention(), _states()
    compiled = torch.compile(attention, fullgraph=True)
    results = []
    for of in (compiled, attention):
        attention.zero_grad()
        out = of(x, key_padding_mask=padding if padded else None)[0]
        out.square().sum().backward()
        grads = [part.grad for part in attention.parameters() if part.grad is not None]
        results.append([out.detach(), *(each.clone() for each in grads)])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
