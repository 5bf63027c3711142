"""Small models with random weights, with the rule of a configuration and none of its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

_SMALL = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_global_key_value_heads": 2,
    "head_dim": 8,
    "global_head_dim": 8,
    "embedding_size": 32,
    "vocab_size": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "cls_token_id": 1,
    "sep_token_id": 2,
    "max_position_embeddings": 128,
    "num_experts": 2,
    "num_local_experts": 2,
    "num_experts_per_tok": 1,
    "n_routed_experts": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 64,
    "expert_intermediate_size": 16,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 32,
    "num_heads": 4,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "n_embd": 32,
    "n_head": 4,
}


def small_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of a configuration made small; what it says of layers and windows stays."""
    return {name: size for name, size in _SMALL.items() if values.get(name) is not None}


def small_model(config: Any, implementation: str = "eager") -> nn.Module:
    """A model of a configuration with random weights, ready to be observed. No download."""
    from transformers import AutoModel

    torch.manual_seed(0)
    config._attn_implementation = implementation
    found: nn.Module = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return found.eval()
