"""A pattern set on the attention layers of a model that vLLM has loaded.

vLLM's FlexAttention backend reads two attributes of an attention layer, `logical_mask_mod` and
`block_sparsity_hint`, and keeps what it read for later layers that have none: therefore every layer
gets both. Held to vllm/v1/attention/backends/flex_attention.py and
vllm/model_executor/layers/attention/attention.py of vLLM's main branch, November 2026. Does not
import vLLM, and does not change how vLLM allocates its cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from patternc.algebra import simplify
from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import implies
from patternc.bridges.vllm.masks import LayerMask, formulas_of, layer_mask
from patternc.ir.formula import Condition, Constant, Subtract, Variable

if TYPE_CHECKING:
    import torch

    from patternc.pattern import Pattern

_BACKEND = "FlexAttentionImpl"


def apply(
    model: torch.nn.Module, pattern: Pattern, *, first_head: int = 0, all_heads: int | None = None
) -> tuple[str, ...]:
    """Sets the pattern as the mask of all attention layers; the names of these layers.

    `model` is the model of a worker, loaded with `attention_backend="FLEX_ATTENTION"`, before its
    first call and before graphs are captured. Layer l of the model, by the number in its name, is
    layer l of the pattern. On a rank of tensor parallelism the layers' heads are the heads from
    `first_head` on of `all_heads`. The mask replaces the causal one; vLLM decides by itself which
    keys are computed, and its cache keeps all keys. Nothing is changed where a layer is refused:
    `ValueError` for patterns that a mask on positions does not hold (modifiers, run-time inputs,
    other key sources, n, later tokens) and for layers with another backend, a sliding window
    shorter than the pattern's, image ranges, or of an encoder.
    """
    layers = list(_attention_layers(model))
    if not layers:
        raise ValueError("the model has no attention layer of vLLM")
    if pattern.rows:
        raise ValueError(f"`rows {pattern.rows[0]}` are another sequence than the n tokens")
    masks = [
        _mask(name, layer, pattern, _number(name, place), first_head, all_heads)
        for place, (name, layer) in enumerate(layers)
    ]
    for (_, layer), mask in zip(layers, masks, strict=True):
        layer.logical_mask_mod, layer.block_sparsity_hint = mask.mask_mod, mask.hint
    return tuple(name for name, _ in layers)


def _attention_layers(model: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    for name, module in model.named_modules():
        if hasattr(module, "impl") and hasattr(module, "attn_type"):
            yield getattr(module, "layer_name", "") or name, module


def _number(name: str, place: int) -> int:
    """The layer's number in the whole model: ranks of a pipeline hold a part of the layers."""
    found = re.search(r"(?:^|\.)(\d+)(?:\.|$)", name)
    return int(found[1]) if found else place


def _mask(
    name: str, layer: Any, pattern: Pattern, number: int, first: int, all_heads: int | None
) -> LayerMask:
    _verify_layer(name, layer)
    if pattern.layers is not None and number >= pattern.layers:
        raise ValueError(f"{name} is layer {number}; the pattern has {pattern.layers} layers")
    total = layer.num_heads if all_heads is None else all_heads
    if not 0 <= first <= total - layer.num_heads:
        raise ValueError(f"{name} has {layer.num_heads} heads; they are not {first} .. of {total}")
    if pattern.heads not in (None, total):
        raise ValueError(
            f"{name} has {total} heads, the pattern {pattern.heads}; on a rank of tensor "
            f"parallelism pass first_head= and all_heads={pattern.heads}"
        )
    every = formulas_of(pattern.relations(number if pattern.layers else 0))
    heads = every * total if pattern.heads is None else every
    own = heads[first : first + layer.num_heads]
    _verify_window(name, layer, own)
    return layer_mask(own)


def _verify_layer(name: str, layer: Any) -> None:
    backend = type(layer.impl).__name__
    if backend != _BACKEND:
        raise ValueError(
            f"{name} runs on {backend}, which has no masks of layers; load the model with "
            'attention_backend="FLEX_ATTENTION"'
        )
    if layer.attn_type != "decoder":
        raise ValueError(f"{name} is of type {layer.attn_type!r}; masks are those of decoders")
    if getattr(layer, "use_mm_prefix", False):
        raise ValueError(f"{name} lets the tokens of an image see each other, beside any mask")


def _verify_window(name: str, layer: Any, heads: tuple[Condition, ...]) -> None:
    """vLLM drops keys behind its own window: the pattern may ask for none of them."""
    windows = {getattr(layer, "sliding_window", None), layer.impl.sliding_window} - {None}
    for window in windows:
        if not all(_is_within(formula, int(window)) for formula in dict.fromkeys(heads)):
            raise ValueError(
                f"{name} has a sliding window of {window} keys, and the pattern sees others; "
                "load the model with disable_sliding_window=True"
            )


def _is_within(formula: Condition, window: int) -> bool:
    distance = Subtract(Variable("i"), Variable("j"))
    try:
        with budget():
            return implies(formula, simplify.compare(distance, "<", Constant(window)))
    except BudgetError:
        return False
