"""What a file holds on demand (`--with`): without it a call is told what to compile with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands
from patternc.emit.features import FEATURES
from patternc.runtime import padded
from patternc.runtime.load import load_module

Q = torch.randn(1, 1, 5, 8, generator=torch.Generator().manual_seed(0))


@cache
def file(*features: str) -> ModuleType:
    return load_module(Pattern.parse("local(3)").compile(features=features))


def mapped(module: ModuleType) -> Any:
    return torch.func.vmap(lambda part: module.attention(part, part, part, backend="triton"))(
        Q[None]
    )


def doubled(module: ModuleType) -> Any:
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(Q, Q)
        return module.attention(dual, Q, Q, backend="triton")


CALL = [], [], 0, 0, 5, 0.3  # of an operator: scores, given, layer, softmax, n, scale
CALLS: dict[str, Callable[[ModuleType], Any]] = {
    "dropout": lambda module: module.attention(Q, Q, Q, dropout=0.5, seed=1),
    "transforms": mapped,
    "weights": lambda module: module.attention(Q, Q, Q, return_weights=True)[1],
}


@pytest.mark.parametrize("name", CALLS)
def test_a_part_that_is_not_there_is_named_and_with_it_calls_work(name: str) -> None:
    with pytest.raises((TypeError, RuntimeError), match=f"`--with {name}`"):
        CALLS[name](file())
    assert CALLS[name](file(name)).isfinite().all()


def test_forward_mode_is_refused_without_transforms_too() -> None:
    with pytest.raises(RuntimeError, match="backend='reference'"):
        doubled(file())


def test_strict_keys_and_messages_come_on_demand() -> None:
    assert not hasattr(file(), "STRICT_KEYS")
    assert file("strict-keys").STRICT_KEYS is False
    for module, said in ((file(), "here: none$"), (file("messages"), "a mask is part of")):
        with pytest.raises(TypeError, match=said):
            module.attention(Q, Q, Q, attn_mask=None)


def test_a_plain_file_has_gradients_and_padded_calls() -> None:
    parts = [Q.clone().requires_grad_() for _ in range(3)]
    found, wanted = (
        torch.autograd.grad(file().attention(*parts, backend=each).sum(), parts)
        for each in ("triton", "reference")
    )
    torch.testing.assert_close(found, wanted)
    torch.library.opcheck(file()._OPERATORS.triton.default, (*([x] for x in parts), *CALL))
    rows, keys = Q[:, :, :2], Q[:, :, :4]
    out = padded.attention(file(), rows, Q, Q, cache_lengths=[4])
    torch.testing.assert_close(out, file().reference(rows, keys, keys))


def test_the_option_is_checked_and_stands_in_the_file() -> None:
    def told(*words: str) -> str:
        return CliRunner().invoke(commands, ["compile", "-e", "full", *words]).output

    assert "regenerate  patternc compile -e full --with=weights" in told("--with", "weights")
    assert "expected one of dropout, messages" in told("--with", "dropuot")
    assert "--with adds nothing to --backend flex" in told("--with", "all", "--backend", "flex")
    with pytest.raises(ValueError, match="'flex' has no features"):
        Pattern.parse("full").compile(backends=["flex"], features=["all"])


def test_all_are_all_of_them() -> None:
    text = Pattern.parse("full").compile(features=sorted(FEATURES))
    assert text == Pattern.parse("full").compile(features=["all"])
