"""Attention of the generated module, output, lse and gradients, against `tests.fuzz.dense`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tests.fuzz.calls import Call
from tests.fuzz.case import Case
from tests.fuzz.failures import DisagreementError


def attends(case: Case, backend: str, dtype: torch.dtype, bound: float, lse: bool = False) -> None:
    """The output; with `lse` also the logarithm of the sum, where there is one."""
    lse = lse and not case.combined
    options = {**_options(case, backend), **({"return_lse": True} if lse else {})}
    found = case.module.attention(**leaves(case.call, dtype), **options, **case.deciding)
    output, sums = found if lse else (found, None)
    for head, (wanted, logarithm) in enumerate(case.attended):
        _close(output[:, head].detach().double().numpy(), wanted, bound, f"{backend} output")
        if sums is not None:
            _close(sums[:, head].detach().double().numpy(), logarithm, bound, f"{backend} lse")


def _options(case: Case, backend: str) -> dict[str, Any]:
    rows = {"rows": case.rows} if case.rows else {}
    return {"layer": case.layer, "backend": backend, **rows}


def leaves(call: Call, dtype: torch.dtype, learned: bool = False) -> dict[str, Any]:
    """q, k, v and the inputs with numbers, as tensors that may be differentiated by."""

    def leaf(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(leaf, value))
        return torch.from_numpy(np.array(value)).to(dtype).requires_grad_(learned)

    everything = {"q": call.q, "k": call.k, "v": call.v, **call.floats}
    return {name: leaf(value) for name, value in everything.items()}


def _close(found: Any, wanted: Any, bound: float, what: str) -> None:
    if found.shape != wanted.shape:
        raise DisagreementError(f"{what} has another shape: {found.shape}, not {wanted.shape}")
    if not np.allclose(found, wanted, rtol=bound, atol=bound):
        off = np.nanmax(np.abs(found - wanted)) if np.isfinite(found).any() else np.nan
        raise DisagreementError(f"{what} differs: by {off}")


def differentiates(case: Case, backend: str, dtype: torch.dtype, bound: float) -> None:
    """Gradients are those of the dense reference, which torch itself differentiates."""
    found, wanted = _gradients(case, backend, dtype), _gradients(case, "reference", torch.float64)
    for name, one in found.items():
        _close(one, wanted[name], bound, f"{backend} gradient of {_role(case, name)}")


def _role(case: Case, name: str) -> str:
    roles = {item.name: item.role for item in case.pattern.inputs}
    return roles.get(name.split("[")[0], name)


def _gradients(case: Case, backend: str, dtype: torch.dtype) -> dict[str, Any]:
    made = leaves(case.call, dtype, learned=True)
    out = case.module.attention(**made, **_options(case, backend), **case.deciding)
    flat = {
        name if part is value else f"{name}[{place}]": part
        for name, value in made.items()
        for place, part in enumerate(value if isinstance(value, tuple) else (value,))
    }
    if not out.requires_grad:
        return {name: np.zeros(part.shape) for name, part in flat.items()}
    parts = torch.autograd.grad(out.square().sum(), list(flat.values()), allow_unused=True)
    return {
        name: np.zeros(leaf.shape) if part is None else part.double().numpy()
        for (name, leaf), part in zip(flat.items(), parts, strict=True)
    }
