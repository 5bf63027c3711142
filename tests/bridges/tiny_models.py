"""Tiny random models of Transformers, with the programs that their own attention follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import transformers as hf

VOCABULARY = 64
_SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
_HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
_WORDS = {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": None}
_SMALL = {**_SIZES, **_WORDS, "max_position_embeddings": 128}


@dataclass(frozen=True)
class Tiny:
    """A model's class and configuration, and what `register` is given for the same numbers."""

    model: str
    config: str
    options: dict[str, Any]
    program: str
    registered: dict[str, str] = field(default_factory=dict)
    generates: bool = True

    def built(self, **more: Any) -> Any:
        torch.manual_seed(0)
        config = getattr(hf, self.config)(**{**self.options, **more})
        model = getattr(hf, self.model)(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                # Larger than they start, so that attention is far from uniform.
                if parameter.ndim > 1:
                    parameter.mul_(4)
        return model


WINDOW = "layers 2\ncausal\nlayer == 0 -> local(left=7){more}\nelse -> full{more}"
TINY = {
    "llama": Tiny("LlamaForCausalLM", "LlamaConfig", {**_SMALL, **_HEADS}, "causal"),
    "mistral": Tiny(
        "MistralForCausalLM",
        "MistralConfig",
        {**_SMALL, **_HEADS, "sliding_window": 8, "head_dim": 8},
        "causal\nlocal(left=7)",
    ),
    "gemma2": Tiny(
        "Gemma2ForCausalLM",
        "Gemma2Config",
        {**_SMALL, **_HEADS, "head_dim": 8, "sliding_window": 8, "attn_logit_softcapping": 2.0},
        WINDOW.format(more=" with softcap(2)"),
    ),
    "gemma3": Tiny(
        "Gemma3ForCausalLM",
        "Gemma3TextConfig",
        {
            **_SMALL,
            **_HEADS,
            "head_dim": 8,
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        WINDOW.format(more=""),
    ),
    "gpt_oss": Tiny(
        "GptOssForCausalLM",
        "GptOssConfig",
        {
            **_SMALL,
            **_HEADS,
            "head_dim": 8,
            "sliding_window": 8,
            "num_local_experts": 2,
            "num_experts_per_tok": 1,
        },
        WINDOW.format(more=" with sink"),
    ),
    "bert": Tiny(
        "BertForMaskedLM",
        "BertConfig",
        {**_SMALL, "num_attention_heads": 4},
        "full",
        generates=False,
    ),
    "roberta": Tiny(
        "RobertaForMaskedLM",
        "RobertaConfig",
        {**_SMALL, "num_attention_heads": 4},
        "full",
        generates=False,
    ),
    "modernbert": Tiny(
        "ModernBertForMaskedLM",
        "ModernBertConfig",
        {
            **_SMALL,
            "num_attention_heads": 4,
            "local_attention": 6,
            "global_attn_every_n_layers": 2,
            "cls_token_id": 1,
            "sep_token_id": 2,
        },
        "layers 2\nlayer == 0 -> full\nelse -> local(3)",
        generates=False,
    ),
    "t5": Tiny(
        "T5ForConditionalGeneration",
        "T5Config",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_heads": 4,
            "pad_token_id": 0,
            "decoder_start_token_id": 1,
            "eos_token_id": None,
        },
        "causal",
        {"encoder": "full"},
    ),
    "whisper": Tiny(
        "WhisperForConditionalGeneration",
        "WhisperConfig",
        {
            "vocab_size": VOCABULARY,
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 64,
            "decoder_ffn_dim": 64,
            "num_mel_bins": 8,
            "max_source_positions": 16,
            "max_target_positions": 64,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "decoder_start_token_id": 1,
            "eos_token_id": None,
            "suppress_tokens": [],
            "begin_suppress_tokens": [],
        },
        "causal",
        {"encoder": "full"},
    ),
}
N = 14


def padding(side: str) -> torch.Tensor:
    """Rows of 14, 9 and 11 tokens; on no side, all of them have 14."""
    mask = torch.ones(3, N, dtype=torch.long)
    for row, count in ((1, 5), (2, 3)):
        if side == "left":
            mask[row, :count] = 0
        elif side == "right":
            mask[row, N - count :] = 0
    return mask


def inputs_of(family: str, side: str = "none") -> dict[str, torch.Tensor]:
    """Keyword arguments of a forward pass."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (3, N), generator=generator)
    mask = {"attention_mask": padding(side)} if side != "none" else {}
    if family == "whisper":
        sound = torch.randn(3, 8, 32, generator=generator)
        own = {"decoder_attention_mask": padding(side)} if side != "none" else {}
        return {"input_features": sound, "decoder_input_ids": ids, **own}
    if family == "t5":
        own = {"decoder_attention_mask": padding(side)} if side != "none" else {}
        return {"input_ids": ids, "decoder_input_ids": ids.flip(1), **mask, **own}
    return {"input_ids": ids, **mask}
