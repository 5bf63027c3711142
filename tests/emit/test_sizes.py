"""Sizes of the call in the rooms of a module: what a program with a number in their place is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from patternc import Pattern
from patternc.ir.parts import children
from patternc.ir.terms import Random
from patternc.runtime.load import load_module
from patternc.semantics.call_sizes import with_sizes
from patternc.semantics.errors import InputError

N = 40
PREFIXED = """
size prefix
size width
heads 2
head == 0 -> columns([:prefix]) + within(prefix:) { blocks(4) { local(1) & causal } }
else      -> local(left=width) - where(j % 3 == 1 and j < prefix) + rows([prefix])
"""
_pattern = cache(Pattern.parse)


@cache
def _parts() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return tuple(torch.randn(2, 2, N, 8) for _ in range(3))


def _dense(prefix: int, width: int) -> np.ndarray:
    i, j = np.arange(N)[:, None], np.arange(N)
    a, b = (i - prefix) // 4, (j - prefix) // 4
    blocks = (i >= prefix) & (j >= prefix) & (b <= a) & (b >= a - 1)
    window = (j <= i) & (i - j <= width) & ~((j % 3 == 1) & (j < prefix))
    return np.stack([blocks | (j < prefix), window | (i == prefix)])


def _wanted(prefix: int, width: int, parts: tuple[torch.Tensor, ...]) -> torch.Tensor:
    held = torch.from_numpy(_dense(prefix, width))
    scores = (parts[0] @ parts[1].mT / 8**0.5).masked_fill(~held, -torch.inf)
    return scores.softmax(-1).nan_to_num(0) @ parts[2]


@pytest.mark.parametrize("backend", ["reference", "cpu", "triton"])
def test_a_call_is_that_of_the_program_with_numbers(backend: str) -> None:
    for given in ({"prefix": 7, "width": 3}, {"prefix": torch.tensor([0, 21]), "width": 90}):
        parts = tuple(part.clone().requires_grad_() for part in _parts())
        own = tuple(part.clone().requires_grad_() for part in _parts())
        found = _pattern(PREFIXED).attention(*parts, backend=backend, **given)
        numbers = torch.as_tensor(given["prefix"]).expand(2).tolist()
        alone = [
            _wanted(prefix, int(given["width"]), tuple(part[at : at + 1] for part in own))
            for at, prefix in enumerate(numbers)
        ]
        wanted = torch.cat(alone)
        torch.testing.assert_close(found, wanted)
        for one, other in zip(
            torch.autograd.grad(found.sin().sum(), parts),
            torch.autograd.grad(wanted.sin().sum(), own),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_masks_and_counts_of_a_size_are_those_of_the_number() -> None:
    pattern, given = _pattern(PREFIXED), {"prefix": [4, 9], "width": 5}
    masks = pattern.mask(N, **given)
    assert np.array_equal(masks, np.stack([_dense(4, 5), _dense(9, 5)]))
    assert np.array_equal(masks, pattern.module.mask(N, prefix=torch.tensor([4, 9]), width=5))
    assert pattern.pairs(N, **given) == masks.sum((-1, -2)).tolist()
    fixed = Pattern.parse(PREFIXED, prefix=9, width=5)
    assert fixed.inputs == ()
    assert np.array_equal(fixed.mask(N), masks[1])
    assert pattern.pairs(1 << 20, prefix=9, width=5) == fixed.pairs(1 << 20)
    assert pattern.layout(N, 16, prefix=9, width=5) is not None
    assert pattern.why(N, 20, 3, prefix=9, width=5) == fixed.why(N, 20, 3)


def test_another_value_compiles_nothing_anew() -> None:
    pattern = Pattern("size width\ncausal\nlocal(width)")
    text = pattern.compile(backends=("all",))
    module, compiled = load_module(text), []
    torch._dynamo.reset()

    def counted(graph: Any, _: Any) -> Any:
        compiled.append(graph)
        return graph.forward

    call = torch.compile(
        lambda parts, width: module.attention(*parts, width=width), backend=counted
    )
    for width in (3, 5, 11):
        wanted = pattern.attention(*_parts(), width=width)
        torch.testing.assert_close(call(_parts(), torch.tensor(width)), wanted)
    assert len(compiled) == 1


def test_padding_and_few_queries_leave_sizes_as_they_are() -> None:
    pattern, (q, k, v) = Pattern("size prefix\ncausal & (columns([:prefix]) + local(2))"), _parts()
    whole = pattern.attention(q, k, v, prefix=torch.tensor([3, 6]))
    step = pattern.attention(q[:, :, -1:], k, v, prefix=torch.tensor([3, 6]))
    torch.testing.assert_close(step, whole[:, :, -1:])
    real = torch.arange(N) >= torch.tensor([[0], [5]])
    padded = pattern.attention(q, k, v, prefix=torch.tensor([3, 6]), key_padding=real)
    torch.testing.assert_close(padded[0], whole[0])
    alone = pattern.attention(q[1:, :, 5:], k[1:, :, 5:], v[1:, :, 5:], prefix=6)
    torch.testing.assert_close(padded[1:, :, 5:], alone)
    held = pattern.mask(N, prefix=[3, 6], key_padding=real.numpy())
    assert np.array_equal(held[1, 0, 5:, 5:], pattern.mask(N - 5, prefix=6)[0])


REFUSED: dict[str, tuple[Any, str]] = {
    "a negative one": (-1, "is -1; a size is 0 to"),
    "a huge one": (1 << 30, "a size is 0 to"),
    "a huge one of a batch": (torch.tensor([1, 1 << 40]), "a size is 0 to"),
    "a fraction": (2.5, "expected an integer"),
    "a truth": (True, "expected an integer"),
    "fractions": (torch.rand(2), r"expected an integer, or integers \[batch\]"),
    "of positions": (torch.zeros(2, N).long(), r"expected an integer, or integers \[batch\]"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_size_is_refused(what: str) -> None:
    value, message = REFUSED[what]
    pattern = _pattern("size width\nlocal(width)")
    with pytest.raises((TypeError, ValueError), match=message):
        pattern.attention(*_parts(), width=value)
    with pytest.raises(InputError, match=message):
        pattern.mask(N, width=value)


def test_a_missing_size_and_one_of_another_batch_are_refused() -> None:
    pattern = _pattern("size width\nlocal(width)")
    with pytest.raises(TypeError, match="'width' is missing: size, an integer"):
        pattern.attention(*_parts())
    with pytest.raises(InputError, match="`width` is missing"):
        pattern.mask(N)
    with pytest.raises(ValueError, match="the batch has 2 elements"):
        pattern.attention(*_parts(), width=torch.tensor([1, 2, 3]))


def test_flex_takes_sizes() -> None:
    pattern = _pattern("size width\ncausal\nlocal(width)")
    for width in (2, torch.tensor([3, 8])):
        block_mask = pattern.block_mask(N, block_size=16, width=width)
        i, j, widths = torch.arange(N)[:, None], torch.arange(N), torch.as_tensor(width)
        found = create_mask(block_mask.mask_mod, 2, 1, N, N, "cpu")[:, 0]
        assert torch.equal(found, ((j <= i) & (i - j <= widths.view(-1, 1, 1))).expand(2, N, N))


def test_numbers_that_are_equal_stay_themselves_where_a_size_is_put_in_place() -> None:
    pattern = Pattern.parse("size s\n(where(s > i) + random(2, seed=0)) with softcap(2.0)")
    head = pattern._frontend.resolve(0, 0, "")
    for order in ({}, {"s": 3}):
        draws = [node for node in _nodes(with_sizes(head, {"s": 4} | order)) if node.count == 2]
        assert [type(each.count) for each in draws] == [int]
        assert all(type(each.seed) is int for each in draws)


def _nodes(node: object) -> Iterator[Random]:
    if isinstance(node, Random):
        yield node
    for part in children(node):
        yield from _nodes(part)


@pytest.mark.parametrize("given", [3, np.array(3), np.array([3])])
def test_one_size_fits_every_batch_element(given: Any) -> None:
    pattern = Pattern.parse("size s\nwhere(n > s) - same(doc)")
    labels = np.stack([np.zeros(9, int), np.arange(9)])
    assert pattern.mask(9, s=given, doc=labels).sum((1, 2, 3)).tolist() == [0, 72]
    assert pattern.pairs(9, s=given, doc=labels) == [[0], [72]]
    with pytest.raises(InputError, match="batch_element=0"):
        pattern.layout(9, s=given, doc=labels)
