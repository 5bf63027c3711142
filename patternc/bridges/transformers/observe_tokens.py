"""Which pairs act where attention is code of the family: LED, Longformer, LongT5, Reformer.

Each attention module is called again with one token's states changed: the rows of its output that
change are the queries of that key. Heads are taken together, and a query's own position acts by the
query too. Does not see which of a module's heads a pair is in.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from patternc.bridges.transformers.observe import Pairs

MODULES = {
    "led": "LEDEncoderSelfAttention",
    "longformer": "LongformerSelfAttention",
    "longt5": "LongT5LocalAttention",
    "reformer": "LocalSelfAttention",
}
"""The classes of their modules, by family."""
GLOBAL = ("led", "longformer")
"""Families with tokens that are global by `global_attention_mask`."""
_LEAST = 1e-12  # what no rounding in float64 makes of a key that is not seen


def acting_tokens(model: Any, inputs: Mapping[str, Tensor]) -> Pairs:
    """The pairs [batch, 1, n, n] of each layer for the tokens of a call, heads together.

    Of families with global tokens the first token of each sequence is one.
    """
    model, n = copy.deepcopy(model).double().eval(), inputs["input_ids"].shape[1]
    calls: list[tuple[nn.Module, tuple[Any, ...], dict[str, Any]]] = []

    def noted(module: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        calls.append((module, args, options))

    for module in model.modules():
        if type(module).__name__ == MODULES[model.config.model_type]:
            module.register_forward_pre_hook(noted, with_kwargs=True)
    given = dict(inputs)
    if model.config.model_type in GLOBAL:
        given["global_attention_mask"] = _first_tokens(given)
    with torch.no_grad():
        model(**given, **({"use_cache": False} if model.config.model_type == "reformer" else {}))
        every = list(calls)
        return {layer: [_acting(*call, n)] for layer, call in enumerate(every)}


def _first_tokens(inputs: Mapping[str, Tensor]) -> Tensor:
    real = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
    return (real.cumsum(1) == 1).long() * real


def _acting(
    module: nn.Module, arguments: tuple[Any, ...], options: dict[str, Any], n: int
) -> Tensor:
    """Booleans [batch, 1, n, n] of one call."""
    states = arguments[0] if arguments else options["hidden_states"]
    noise = torch.randn(states.shape, generator=torch.Generator().manual_seed(0)).to(states)

    def run(states: Tensor) -> Tensor:
        if arguments:
            out = module(states, *arguments[1:], **options)
        else:
            out = module(**{**options, "hidden_states": states})
        found: Tensor = out.hidden_states if hasattr(out, "hidden_states") else out[0]
        return found

    before, rows = run(states), []
    for key in range(n):
        changed = states.clone()
        changed[:, key] += noise[:, key]
        rows.append((run(changed) - before).abs().amax(-1) > _LEAST)
    return torch.stack(rows, dim=-1)[:, None, :n]
