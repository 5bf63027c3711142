"""An `Attention` from the configuration of a model of Transformers.

Reads sizes alone: what the model attends to is said by the pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patternc.nn.attention import Attention
from patternc.pattern import Pattern

# Of each size the names that configurations have for it, the most usual first.
_NAMES = {
    "embed_dim": ("hidden_size", "d_model", "n_embd", "dim"),
    "num_heads": (
        "num_attention_heads",
        "n_head",
        "n_heads",
        "num_heads",
        "encoder_attention_heads",
    ),
    "num_kv_heads": ("num_key_value_heads", "n_kv_heads", "num_kv_heads"),
    "head_dim": ("head_dim", "d_kv"),
    "dropout": ("attention_dropout", "attention_probs_dropout_prob", "attn_pdrop"),
    "bias": ("attention_bias",),
}
_NEEDED = ("embed_dim", "num_heads")


def from_config(
    config: Any, pattern: Pattern | str, *, layer: int | None = None, **options: Any
) -> Attention:
    """An `Attention` of the sizes that a configuration states, with a pattern.

    `config` is an object with attributes or a mapping, as `LlamaConfig` and its dictionary:
    `hidden_size`, `num_attention_heads`, `num_key_value_heads`, `head_dim`, `attention_dropout` and
    `attention_bias`, or what other families call them. `options` are arguments of `Attention` that
    it does not state, or other values. Raises `ValueError` where a size is missing.

    >>> from types import SimpleNamespace
    >>> config = SimpleNamespace(hidden_size=64, num_attention_heads=4, num_key_value_heads=2)
    >>> from_config(config, "(causal & local(16)) with rotary(10000)").num_kv_heads
    2
    """
    stated = {name: _stated(config, names) for name, names in _NAMES.items()}
    found = {name: value for name, value in stated.items() if value is not None} | options
    for name in _NEEDED:
        if name not in found:
            raise ValueError(f"the configuration states none of {', '.join(_NAMES[name])}")
    embed_dim, num_heads = (found.pop(name) for name in _NEEDED)
    return Attention(embed_dim, num_heads, pattern, layer=layer, **found)


def _stated(config: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        has = name in config if isinstance(config, Mapping) else hasattr(config, name)
        value = (
            (config[name] if isinstance(config, Mapping) else getattr(config, name))
            if has
            else None
        )
        if value is not None:
            return value
    return None
