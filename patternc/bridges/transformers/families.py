"""What families of Transformers mean by their numbers, where it is not the usual.

Each entry was observed on a small random model (`benchmarks/transformers_families.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Layer types without pairs of a query and a key.
_NO_PAIRS = ("linear_attention", "conv", "mamba", "mamba2", "recurrent", "moe", "mlp")

SINKS = frozenset({"gpt_oss", "openai_privacy_filter", "flint"})
"""Families with a learned sink in every layer."""
SLIDING_SINKS = frozenset({"mimo_v2_flash"})
"""Families with a learned sink in layers with a window."""
BOTH_SIDES = frozenset({"embedding_gemma2_text", "openai_privacy_filter", "ultrabert"})
"""Families that see both sides and are in no table of encoders."""
CAUSAL = frozenset({"muse_glimmer_text", "muse_spark_text"})
"""Families that do not see later keys and are in no table of language models."""
ENCODERS = frozenset({"bert-generation"})
"""Families that see both sides unless they say `is_decoder`, beside masked language models."""
OWN_CODE = frozenset(
    {
        *("bloom", "codegen", "deberta", "deberta-v2", "falcon", "flaubert", "git", "gptj"),
        *("gpt_neox_japanese", "ibert", "luke", "megatron-bert", "mpnet", "mpt", "openai-gpt"),
        *("rembert", "squeezebert", "xglm"),
    }
)
"""Families that call no attention function of Transformers, whose single layers were observed."""
WINDOWS_WITH_END = BOTH_SIDES | {"gemma4_text", "modernbert"}
"""Families whose window holds `sliding_window` keys on each side of the query."""
WINDOWS_WITHOUT_END = frozenset({"gemma3_text"})
"""Families whose window holds one key less on each side."""
WINDOW_IS_NOT_APPLIED = frozenset({"moshi"})
"""Families whose `sliding_window` has no effect: they see everything before."""
NO_PROGRAM = {
    "zamba": "its layers share attention modules, which do not say which layer they are",
    "xlnet": "its mask is that of a permutation, given at call time",
    "recurrent_gemma": "its attention layers are named by the order of blocks alone",
    "doge": "each row keeps the keys with the largest learned values, found at run time",
    "inkling_text": "its scores have a learned bias by distance, which the configuration names not",
    "inkling2_text": "its sink is computed for each token",
    "hy_v4": "an indexer chooses its keys at run time, as `causal & listed(keys)` says",
    "minimax_m3_vl_text": "its blocks are chosen at run time, as `causal & listed(keys)` says",
}
"""Families that no program stands for, and why."""


def layers_of(config: Any, part: str) -> list[str]:
    """What each layer of a configuration is: a name of Transformers, or `none`."""
    kinds = getattr(config, "layer_types", None) or _blocks(config)
    if kinds is None or config.model_type in WINDOW_IS_NOT_APPLIED:
        kinds = [_only_kind(config)] * _count(config, part)
    return ["none" if kind in _NO_PAIRS else kind for kind in kinds]


def _blocks(config: Any) -> list[str] | None:
    """Layers of models that name attention among other blocks, as Jamba does."""
    kinds = getattr(config, "layers_block_type", None)
    names = {"attention": "full_attention", "hybrid": "hybrid"}
    return None if kinds is None else [names.get(kind, "mlp") for kind in kinds]


def _count(config: Any, part: str) -> int:
    named = {"encoder": ("encoder_layers",), "decoder": ("decoder_layers", "num_decoder_layers")}
    for name in (*named.get(part, ()), "num_hidden_layers"):
        if getattr(config, name, None) is not None:
            return int(getattr(config, name))
    raise AttributeError("num_hidden_layers")


def _only_kind(config: Any) -> str:
    if config.model_type in WINDOW_IS_NOT_APPLIED:
        return "full_attention"
    if getattr(config, "sliding_window", None) is not None:
        return "sliding_attention"
    if getattr(config, "attention_chunk_size", None) is not None:
        return "chunked_attention"
    return "full_attention"


def _longformer(config: Any) -> list[str]:
    windows = config.attention_window
    count = _count(config, "encoder")
    each = [windows] * count if isinstance(windows, int) else windows
    return [f"local({w // 2}) + global(global_tokens, projection=global_qkv)" for w in each]


def _gpt_neo(config: Any) -> list[str]:
    rules = {"global": "causal", "local": f"causal & local(left={config.window_size - 1})"}
    return [f"({rules[kind]}) with scale(1)" for kind in config.attention_layers]


def _bigbird(config: Any) -> list[str]:
    if config.attention_type != "block_sparse":
        return ["full"] * config.num_hidden_layers
    blocks = f"local(1) + global([0, -1]) + random({config.num_random_blocks}, pool=1:-1)"
    return [f"blocks({config.block_size}) {{ {blocks} }}"] * config.num_hidden_layers


def _longt5(config: Any) -> list[str]:
    near = f"t5({config.relative_attention_num_buckets}, {config.relative_attention_max_distance}"
    local = f"local({config.local_radius}) with {near})"
    if config.encoder_attention_type == "local":
        return [f"{local} with scale(1)"] * config.num_layers
    size = config.global_block_size
    sums = f"full on pool({size}, sum, tail=merge) with {near}, name=block_bias)"
    return [f"({local} + {sums}) with scale(1)"] * config.num_layers


def _reformer(config: Any) -> list[str]:
    if any(kind != "local" for kind in config.attn_layers):
        raise ValueError("its layers of `lsh` attention find their keys at run time")
    if not config.is_decoder:
        raise ValueError("its chunks wrap where it sees both sides: the first sees the last")
    back = config.local_num_chunks_before
    own = f"causal & segment({config.local_attn_chunk_length}, back={back})"
    return [own] * len(config.attn_layers)


OWN_RULES: dict[str, tuple[Callable[[Any], list[str]], str]] = {
    "longformer": (_longformer, "global_tokens, global_qkv: those of global_attention_mask"),
    "gpt_neo": (_gpt_neo, "scores are not scaled"),
    "led": (_longformer, "global_tokens, global_qkv: those of global_attention_mask"),
    "big_bird": (
        _bigbird,
        "the model draws other blocks, at 4096 tokens of the first 1024; short inputs are full",
    ),
    "longt5": (_longt5, "t5_bias, block_bias: tables of the first layer"),
    "reformer": (
        _reformer,
        "chunks before the own one are seen whole; padding before tokens shifts them",
    ),
}
"""The layers of families with mask code of their own, and what to know of them."""
