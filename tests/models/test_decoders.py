"""Our attention equals that of decoders of Transformers on their own rotated q, k, v (fp32).

An attention function registered with Transformers records what each layer is called with, and
calls the model's own. Models are small and random; nothing is downloaded.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from patternc.pattern import Pattern

transformers = pytest.importorskip("transformers", reason="the test extra installs transformers")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
SIZES = {
    "vocab_size": 50,
    "hidden_size": 64,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
}


def calls_of(model_class, config, n=75):
    """For each layer: the module, q, k, v after their rotation, and the attention's output."""
    calls = []

    def record(module, query, key, value, attention_mask, **options):
        own = sys.modules[type(module).__module__].eager_attention_forward
        out, weights = own(module, query, key, value, attention_mask, **options)
        calls.append(SimpleNamespace(module=module, qkv=(query, key, value), out=out))
        return out, weights

    transformers.AttentionInterface.register("recorded", record)
    masks = transformers.AttentionMaskInterface
    masks.register("recorded", masks._global_mapping["eager"])
    config._attn_implementation = "recorded"
    torch.manual_seed(0)
    model = model_class(config).eval()
    for parameter in model.parameters():
        # Logits of order one; some tables begin uninitialised.
        torch.nn.init.normal_(parameter, std=0.3)
    with torch.no_grad():
        model(torch.randint(1, 50, (2, n)), use_cache=False)
    return calls


def assert_layers(text, calls, **of_layer):
    pattern = Pattern.parse(text)
    for layer, call in enumerate(calls):
        inputs = {name: read(call.module) for name, read in of_layer.items()}
        with torch.no_grad():
            out = pattern.attention(*call.qkv, layer=layer, **inputs)
        torch.testing.assert_close(out.transpose(1, 2), call.out, **TOLERANCE)


def test_mistral_sliding_window_with_grouped_queries():
    config = transformers.MistralConfig(**SIZES, sliding_window=20)
    calls = calls_of(transformers.MistralModel, config)
    assert [part.shape[1] for part in calls[0].qkv] == [4, 2, 2]
    assert_layers("causal\nlocal(left=19)", calls)


def test_gemma_softcap_and_alternating_layers():
    config = transformers.Gemma2Config(
        **SIZES, sliding_window=20, query_pre_attn_scalar=25, attn_logit_softcapping=2.0
    )
    calls = calls_of(transformers.Gemma2Model, config)
    assert [call.module.sliding_window for call in calls] == [20, None]
    text = """
    causal
    layers 2
    let capped = full with softcap(2) with scale(0.2)
    layer % 2 == 0 -> capped & local(left=19)
    else           -> capped
    """
    assert_layers(text, calls)


def test_gpt_oss_sinks():
    config = transformers.GptOssConfig(
        **SIZES, sliding_window=20, num_local_experts=2, num_experts_per_tok=1
    )
    calls = calls_of(transformers.GptOssModel, config)
    assert [call.module.sliding_window for call in calls] == [20, None]
    text = """
    causal
    layers 2
    layer % 2 == 0 -> local(left=19) with sink
    else           -> full with sink
    """
    assert_layers(text, calls, sinks=lambda module: module.sinks)


def test_gpt_neo_local_and_global_layers(monkeypatch):
    """GPT-Neo does not scale its scores."""
    config = transformers.GPTNeoConfig(
        vocab_size=50,
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=20,
        max_position_embeddings=128,
    )
    torch.manual_seed(0)
    model = transformers.GPTNeoModel(config).eval()
    calls = []
    for block in model.h:
        module = block.attn.attention
        own = module._attn

        def record(query, key, value, mask=None, *, own=own, module=module):
            out, weights = own(query, key, value, mask)
            calls.append(
                SimpleNamespace(module=module, qkv=(query, key, value), out=out.transpose(1, 2))
            )
            return out, weights

        monkeypatch.setattr(module, "_attn", record)
    with torch.no_grad():
        model(torch.randint(1, 50, (2, 75)), use_cache=False)
    assert [call.module.attention_type for call in calls] == ["global", "local"]
    text = """
    causal
    layers 2
    layer % 2 == 1 -> local(left=19) with scale(1)
    else           -> full with scale(1)
    """
    assert_layers(text, calls)
