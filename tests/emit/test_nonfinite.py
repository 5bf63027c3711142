"""Keys that are no numbers, on the CPU: what they reach is NaN, all else the same bits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from types import ModuleType

import pytest
import torch

from tests.emit.test_cpu import module_of, tensors

Tensor = torch.Tensor

PATTERNS = {
    "window and tokens": "local(5) + global([0])",
    "rows without keys": "local(left=-3, right=6)",
    "classes": "causal\nlocal(left=4, dilation=3)",
    "branches": "causal\nheads 2\nmix(segment(8), segment(16, dilation=2, offset=head))",
    "gathered": "blocks(8) { local(1) + global([0, -1]) + random(1) }",
    "modified": "local(left=9) with softcap(3)",
    "hidden from all": "columns([0:20]) + columns([21:60])",
}
KEY, N = 20, 60


needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
Way = Callable[[str], ModuleType]


@pytest.fixture(params=["torch", pytest.param("C", marks=needs_compiler)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Way:
    """A module whose calls go one way."""

    def made(text: str) -> ModuleType:
        module = module_of(text)
        monkeypatch.setattr(module, "_WORTH", 0)
        if request.param == "torch":
            monkeypatch.setattr(module, "_is_taken", lambda _: False)
        return module

    return made


@pytest.mark.parametrize("name", PATTERNS)
def test_rows_that_do_not_ask_a_key_are_the_same_bits_whatever_it_holds(
    name: str, way: Way
) -> None:
    module = way(PATTERNS[name])
    q, k, v = (part.float() for part in tensors(2, N, N, 16, kv_heads=1))
    asking = module.mask(N)[:, :, KEY].expand(2, 2, N)
    before = module.attention(q, k, v, return_lse=True)
    for odd, place in product((torch.nan, torch.inf, -torch.inf), (0, 1)):
        parts = [part.clone() for part in (k, v)]
        parts[place][:, :, KEY] = odd
        found = module.attention(q, *parts, return_lse=True)
        for one, other in zip(found, before, strict=True):
            assert torch.equal(one[~asking], other[~asking])
            assert one[asking].isnan().all()


@pytest.mark.parametrize("name", PATTERNS)
def test_gradients_of_rows_that_do_not_ask_a_key_are_numbers(name: str, way: Way) -> None:
    module = way(PATTERNS[name])
    q, k, v = (part.float() for part in tensors(2, N, N, 16))
    asking = module.mask(N)[:, :, KEY].expand(2, 2, N)
    # Of keys that no row of NaN asks the gradients are numbers, too.
    met = (asking[..., None] & module.mask(N)).any(2)

    def graded(k: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        leaves = [part.detach().requires_grad_() for part in (q, k, v)]
        out = module.attention(*leaves).masked_fill(asking[..., None], 0)
        return torch.autograd.grad(out.square().sum(), leaves)

    odd = torch.arange(N)[:, None] == KEY
    found = graded(k.masked_fill(odd, torch.nan), v.masked_fill(odd, torch.inf))
    reached = (asking, met, met)
    for one, other, spoilt in zip(found, graded(k, v), reached, strict=True):
        torch.testing.assert_close(one[~spoilt], other[~spoilt], rtol=1e-5, atol=1e-5)
        assert one[spoilt].isnan().any(-1).all()


def test_a_query_that_is_no_number_spoils_its_own_row_alone(way: Way) -> None:
    module = way("local(9)")
    q, k, v = (part.float() for part in tensors(2, N, N, 16))
    before = module.attention(q, k, v)
    q[0, 1, 40] = torch.nan
    rows = module.attention(q, k, v).isnan().any(-1)
    assert rows.nonzero().tolist() == [[0, 1, 40]]
    assert torch.equal(module.attention(q, k, v)[~rows], before[~rows])
