"""Our attention equals that of LongT5's encoders on their own q, k, v (fp32, to 1e-5).

Biases of tokens come from the module's table through `t5`. The pooled slots have a table, a norm
and projections of their own: they come through `bias` and `pool_kv`.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from patternc.pattern import Pattern

transformers = pytest.importorskip("transformers", reason="the test extra installs transformers")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
BLOCK = 4


def calls_of(kind, n, *, one_table=False):
    """For each layer: the attention module, its input and its output before the last projection."""
    config = transformers.LongT5Config(
        vocab_size=50,
        d_model=32,
        d_kv=16,
        d_ff=32,
        num_layers=2,
        num_heads=2,
        local_radius=7,
        global_block_size=BLOCK,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
        encoder_attention_type=kind,
        dropout_rate=0.0,
    )
    torch.manual_seed(0)
    model = transformers.LongT5EncoderModel(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    if one_table:
        first = model.encoder.block[0].layer[0].TransientGlobalSelfAttention
        first.global_relative_attention_bias = first.relative_attention_bias
    calls = []
    for layer in model.encoder.block:
        module = next(layer.layer[0].children())
        module.register_forward_hook(_recording(calls), with_kwargs=True)
        module.o.register_forward_pre_hook(_before_output(calls))
    with torch.no_grad():
        model(torch.randint(1, 50, (2, n)))
    return calls


def _recording(calls):
    def record(module, args, kwargs, output):
        calls[-1].module, calls[-1].hidden = module, args[0] if args else kwargs["hidden_states"]

    return record


def _before_output(calls):
    def record(module, args):
        calls.append(SimpleNamespace(out=args[0]))

    return record


def by_head(states):
    """[batch, n, heads * 16] to [batch, heads, n, 16]."""
    return states.unflatten(-1, (2, 16)).transpose(1, 2)


def projected(module, hidden):
    return [by_head(layer(hidden)) for layer in (module.q, module.k, module.v)]


def pooled(module, hidden):
    """Keys and values of blocks: summed states, normed and projected; leftovers join the last."""
    whole = hidden.shape[1] // BLOCK
    parts = [hidden[:, BLOCK * at : BLOCK * (at + 1)].sum(1) for at in range(whole - 1)]
    states = torch.stack([*parts, hidden[:, BLOCK * (whole - 1) :].sum(1)], 1)
    return tuple(projected(module, module.global_input_layer_norm(states))[1:])


def bias_of_blocks(module, n):
    """The bias [heads, n, blocks] of the module's table; leftovers belong to the last block."""
    whole = n // BLOCK
    own = (torch.arange(n) // BLOCK).clamp(max=whole - 1)
    bucket = module._relative_position_bucket(
        torch.arange(whole)[None, :] - own[:, None], num_buckets=8, max_distance=20
    )
    return module.global_relative_attention_bias(bucket).permute(2, 0, 1)


def assert_equal(out, call):
    found = out.transpose(1, 2).flatten(2)
    torch.testing.assert_close(found, call.out[:, : out.shape[2]], **TOLERANCE)


@pytest.mark.parametrize("n", [40, 61])
def test_longt5_local(n):
    calls = calls_of("local", n)
    assert len(calls) == 2
    pattern = Pattern.parse("local(7) with t5(8, 20) with scale(1)")
    for call in calls:
        # Later layers use the first layer's table.
        table = calls[0].module.relative_attention_bias.weight
        with torch.no_grad():
            out = pattern.attention(*projected(call.module, call.hidden), t5_bias=table)
        assert_equal(out, call)


@pytest.mark.parametrize("n", [40, 61, 63])
def test_longt5_transient_global_with_orphans(n):
    calls = calls_of("transient-global", n)
    first = calls[0].module
    pattern = Pattern.parse(
        f"""
        (local(7) with t5(8, 20)
          + full on pool({BLOCK}, sum, tail=merge) with bias(blocks_bias)) with scale(1)
        """
    )
    for call in calls:
        with torch.no_grad():
            out = pattern.attention(
                *projected(call.module, call.hidden),
                t5_bias=first.relative_attention_bias.weight,
                blocks_bias=bias_of_blocks(first, n),
                pool_kv=pooled(call.module, call.hidden),
            )
        assert_equal(out, call)


def test_longt5_transient_global_by_distances_of_blocks():
    """Where both tables are the same and no token is left over, `t5` on the pool is the bias."""
    calls = calls_of("transient-global", 40, one_table=True)
    table = calls[0].module.relative_attention_bias.weight
    pattern = Pattern.parse(
        f"(local(7) + full on pool({BLOCK}, sum, tail=merge)) with t5(8, 20) with scale(1)"
    )
    for call in calls:
        slots = pooled(call.module, call.hidden)
        with torch.no_grad():
            qkv = projected(call.module, call.hidden)
            out = pattern.attention(*qkv, t5_bias=table, pool_kv=slots)
        assert_equal(out, call)
