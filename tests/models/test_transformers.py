"""Our attention equals the modules of Transformers on their own q, k, v (fp32, to 1e-5).

Models are built from small configurations with random weights; nothing is downloaded.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from patternc.pattern import Pattern

transformers = pytest.importorskip("transformers", reason="the test extra installs transformers")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


def by_head(states, heads):
    """[batch, n, heads * head_dim] to [batch, heads, n, head_dim]."""
    return states.unflatten(-1, (heads, -1)).transpose(1, 2)


def projected(module, hidden, heads):
    """q, k, v [batch, heads, n, head_dim] as the module itself projects them."""
    return [by_head(layer(hidden), heads) for layer in (module.query, module.key, module.value)]


def projected_globally(module, hidden, heads):
    """q, k, v of the rows of global tokens; the module scales both kinds of queries alike."""
    layers = (module.query_global, module.key_global, module.value_global)
    return tuple(by_head(layer(hidden), heads) for layer in layers)


def merged(out):
    """[batch, heads, n, head_dim] to [batch, n, heads * head_dim]."""
    return out.transpose(1, 2).flatten(2)


def bigbird(monkeypatch, *, blocks, block, random_blocks, heads=2):
    """Per layer: q, k, v, the random plan that was drawn, and the attention's output."""
    config = transformers.BigBirdConfig(
        vocab_size=50,
        hidden_size=16 * heads,
        num_hidden_layers=2,
        num_attention_heads=heads,
        intermediate_size=32,
        max_position_embeddings=blocks * block,
        attention_type="block_sparse",
        block_size=block,
        num_random_blocks=random_blocks,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(0)
    model = transformers.BigBirdModel(config).train()
    calls = []
    for layer in model.encoder.layer:
        _record_bigbird(monkeypatch, layer.attention.self, calls, heads)
    with torch.no_grad():
        model(torch.randint(1, 50, (2, blocks * block)))
    return calls


def _record_bigbird(monkeypatch, module, calls, heads):
    drawn = []
    draw_mask = module._create_rand_mask_from_inputs

    def record_plan(from_mask, to_mask, plan, *rest):
        drawn.append(plan)
        return draw_mask(from_mask, to_mask, plan, *rest)

    def record(module, args, kwargs, output):
        hidden = kwargs.get("hidden_states", args[0] if args else None)
        calls.append(
            SimpleNamespace(qkv=projected(module, hidden, heads), plan=drawn[-1], out=output[0])
        )

    monkeypatch.setattr(module, "_create_rand_mask_from_inputs", record_plan)
    module.register_forward_hook(record, with_kwargs=True)


@pytest.mark.parametrize(("blocks", "block", "random_blocks"), [(16, 4, 3), (9, 8, 1), (64, 16, 3)])
def test_bigbird_block_sparse_in_training_mode(monkeypatch, blocks, block, random_blocks):
    text = f"""
    heads 2
    mix(blocks({block}) {{ local(1) + global([0, -1]) }}, blocks({block}) {{ listed(plan) }})
    """
    pattern = Pattern.parse(text)
    calls = bigbird(monkeypatch, blocks=blocks, block=block, random_blocks=random_blocks)
    assert len(calls) == 2
    for call in calls:
        plan = torch.nn.functional.pad(call.plan, (0, 0, 1, 1), value=-1)
        out = pattern.attention(*call.qkv, plan=plan)
        torch.testing.assert_close(merged(out), call.out, **TOLERANCE)


def recording(calls, heads):
    """A hook on Longformer's self-attention: its projections and its output."""

    def record(module, args, kwargs, output):
        hidden = kwargs.get("hidden_states", args[0] if args else None)
        calls.append(
            SimpleNamespace(
                qkv=projected(module, hidden, heads),
                own=projected_globally(module, hidden, heads),
                out=output[0],
            )
        )

    return record


def longformer(*, n, windows, heads=2, global_tokens=()):
    """Per layer: q, k, v of the ordinary and of the global projections, the attention's output."""
    config = transformers.LongformerConfig(
        vocab_size=50,
        hidden_size=16 * heads,
        num_hidden_layers=len(windows),
        num_attention_heads=heads,
        intermediate_size=32,
        max_position_embeddings=n + 8,
        attention_window=list(windows),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    model = transformers.LongformerModel(config).eval()
    calls = []

    record = recording(calls, heads)
    for layer in model.encoder.layer:
        layer.attention.self.register_forward_hook(record, with_kwargs=True)
    attention = torch.zeros(2, n, dtype=torch.long)
    attention[:, list(global_tokens)] = 1
    with torch.no_grad():
        model(torch.randint(1, 50, (2, n)), global_attention_mask=attention)
    return calls


@pytest.mark.parametrize(("n", "windows"), [(64, (8, 16)), (96, (32, 32))])
@pytest.mark.parametrize("global_tokens", [(), (0,), (0, 5, 41)])
def test_longformer_rows_without_projections_of_their_own(n, windows, global_tokens):
    calls = longformer(n=n, windows=windows, global_tokens=global_tokens)
    assert len(calls) == len(windows)
    others = [row for row in range(n) if row not in global_tokens]
    for window, call in zip(windows, calls, strict=True):
        listed = f" + global({list(global_tokens)})" if global_tokens else ""
        pattern = Pattern.parse(f"heads 2\nlocal({window // 2}){listed}")
        out = merged(pattern.attention(*call.qkv))
        torch.testing.assert_close(out[:, others], call.out[:, others], **TOLERANCE)


@pytest.mark.parametrize(("n", "windows"), [(64, (8, 16)), (96, (32, 32))])
@pytest.mark.parametrize("global_tokens", [(0,), (0, 5, 41)])
def test_longformer_with_the_projections_of_its_global_rows(n, windows, global_tokens):
    calls = longformer(n=n, windows=windows, global_tokens=global_tokens)
    for window, call in zip(windows, calls, strict=True):
        pattern = Pattern.parse(
            f"local({window // 2}) + global({list(global_tokens)}, projection=g)"
        )
        out = merged(pattern.attention(*call.qkv, g=call.own))
        torch.testing.assert_close(out, call.out, **TOLERANCE)


def test_longformer_with_global_tokens_known_at_run_time():
    calls = longformer(n=64, windows=(16, 16), global_tokens=(3, 40))
    pattern = Pattern.parse("local(8) + global(question, projection=g)")
    question = torch.zeros(64, dtype=torch.bool)
    question[[3, 40]] = True
    for call in calls:
        out = merged(pattern.attention(*call.qkv, question=question, g=call.own))
        torch.testing.assert_close(out, call.out, **TOLERANCE)


def led(*, n, targets, window, heads=2):
    """Calls of the encoder's, the decoder's own, and the decoder's cross-attention layers."""
    config = transformers.LEDConfig(
        vocab_size=50,
        d_model=16 * heads,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_encoder_position_embeddings=n,
        max_decoder_position_embeddings=targets,
        attention_window=[window, window],
        dropout=0.0,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    model = transformers.LEDModel(config).eval()
    encoder, decoder, cross = [], [], []
    for layer in model.encoder.layers:
        module = layer.self_attn.longformer_self_attn
        module.register_forward_hook(recording(encoder, heads), with_kwargs=True)
    for layer in model.decoder.layers:
        _record_decoder(layer.self_attn, decoder, heads)
        _record_decoder(layer.encoder_attn, cross, heads)
    attention = torch.zeros(2, n, dtype=torch.long)
    attention[:, 0] = 1
    with torch.no_grad():
        model(
            torch.randint(1, 50, (2, n)),
            decoder_input_ids=torch.randint(1, 50, (2, targets)),
            global_attention_mask=attention,
            use_cache=False,
        )
    return encoder, decoder, cross


def _record_decoder(module, calls, heads):
    """q, k, v, and the output before the last projection."""

    def record(module, args, kwargs):
        hidden = kwargs.get("hidden_states", args[0] if args else None)
        keys = kwargs.get("key_value_states")
        keys = hidden if keys is None else keys
        layers = (module.q_proj, hidden), (module.k_proj, keys), (module.v_proj, keys)
        calls.append(SimpleNamespace(qkv=[by_head(layer(part), heads) for layer, part in layers]))

    def record_output(module, args):
        calls[-1].out = args[0]

    module.register_forward_pre_hook(record, with_kwargs=True)
    module.out_proj.register_forward_pre_hook(record_output)


def test_led_encoder_decoder_and_cross_attention():
    encoder, decoder, cross = led(n=64, targets=23, window=16)
    assert len(encoder) == len(decoder) == len(cross) == 2
    pattern = Pattern.parse("local(8) + global([0], projection=g)")
    for call in encoder:
        out = pattern.attention(*call.qkv, g=call.own)
        torch.testing.assert_close(merged(out), call.out, **TOLERANCE)
    for call in decoder:
        out = Pattern.parse("causal").attention(*call.qkv)
        torch.testing.assert_close(merged(out), call.out, **TOLERANCE)
    for call in cross:
        q, k, v = call.qkv
        out = Pattern.parse("full on encoder").attention(q, None, None, encoder_kv=(k, v))
        torch.testing.assert_close(merged(out), call.out, **TOLERANCE)
