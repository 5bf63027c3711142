"""Which pairs of query and key act in a model of Transformers, layer by layer.

A forward pass with the model's own attention function; each layer's function is called again with
queries of zeros, so that all scores are equal, and with one-hot values, so that its output is the
weights. So what is observed is what the implementation does, not what a mask says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from patternc.bridges.transformers.attention import is_causal, is_crossing

Function = Callable[..., Any]
Pairs = dict[int, list[Tensor]]
"""For each layer its calls: booleans [batch, heads, queries, keys]."""


def acting_pairs(model: nn.Module, inputs: Mapping[str, Any], causal: bool | None = None) -> Pairs:
    """The pairs of the layers in which tokens attend to their own sequence.

    `causal` chooses the decoder's or the encoder's of an encoder-decoder model.
    """
    found: Pairs = {}
    with torch.no_grad(), _probed(model, found, causal):
        model(**inputs)
    return found


@contextmanager
def _probed(model: nn.Module, found: Pairs, causal: bool | None) -> Iterator[None]:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    own: str = model.config._attn_implementation  # type: ignore[union-attr, assignment]

    def probe(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Any = None,
        **rest: Any,
    ) -> Any:
        q, k, v, mask = query, key, value, attention_mask
        function = _function(own, module)
        kind = is_causal(module, rest)
        if not is_crossing(module, kind) and causal in (None, kind):
            number = getattr(module, "layer_idx", None)
            layer = len(found) if number is None else number
            found.setdefault(layer, []).append(_weights(function, module, q, k, v, mask, rest) > 0)
        return function(module, q, k, v, mask, **rest)

    name = f"patternc_probe_of_{own}".replace("/", "_")
    AttentionInterface.register(name, probe)
    if own in ALL_MASK_ATTENTION_FUNCTIONS:
        AttentionMaskInterface.register(name, ALL_MASK_ATTENTION_FUNCTIONS[own])
    model.set_attn_implementation(name)  # type: ignore[operator]
    try:
        yield
    finally:
        model.set_attn_implementation(own)  # type: ignore[operator]


def _function(name: str, module: nn.Module) -> Function:
    """The attention function of a name; that of "eager" is in the file of each model."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if name in ALL_ATTENTION_FUNCTIONS:
        found: Function = ALL_ATTENTION_FUNCTIONS[name]
        return found
    own: Function = sys.modules[type(module).__module__].eager_attention_forward
    return own


def _weights(
    function: Function,
    module: nn.Module,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Any,
    rest: Mapping[str, Any],
) -> Tensor:
    """Weights [batch, heads, queries, keys] where all scores are equal."""
    width, parts = v.shape[3], []
    for start in range(0, v.shape[2], width):
        one_hot = torch.zeros_like(v)
        here = torch.arange(min(width, v.shape[2] - start), device=v.device)
        one_hot[:, :, start + here, here] = 1
        out = function(module, torch.zeros_like(q), k, one_hot, mask, **rest)[0]
        parts.append(out[..., : len(here)])
    return torch.cat(parts, dim=3).transpose(1, 2)
