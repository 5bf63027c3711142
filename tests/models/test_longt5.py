"""Our attention equals that of LongT5's encoders on their own q, k, v (fp32, to 1e-5).

Biases come from the module's two tables, of tokens and of blocks. The pooled slots are normed
before they are projected, so their keys and values are made outside, of `pooled_states`.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from patternc.pattern import Pattern

transformers = pytest.importorskip("transformers", reason="the test extra installs transformers")
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
BLOCK = 4


def calls_of(kind, n):
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


def pooled(pattern, module, hidden):
    """Keys and values of blocks: summed states, normed and projected."""
    states = pattern.module.pooled_states(hidden)
    return tuple(projected(module, module.global_input_layer_norm(states))[1:])


def small_example():
    """The published program in the sizes of the model above."""
    text = Pattern.from_zoo("longt5_transient_global").text
    for published, small in (("(127)", "(7)"), ("t5(32, 128", "t5(8, 20"), ("16", str(BLOCK))):
        assert published in text
        text = text.replace(published, small)
    return Pattern.parse(text)


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


@pytest.mark.parametrize("n", [3, 40, 61, 63])
def test_longt5_transient_global_with_orphans(n):
    """Two tables of biases; leftover tokens belong to the last block, with distances and sums."""
    calls = calls_of("transient-global", n)
    first = calls[0].module
    pattern = small_example()
    for call in calls:
        with torch.no_grad():
            out = pattern.attention(
                *projected(call.module, call.hidden),
                t5_bias=first.relative_attention_bias.weight,
                block_bias=first.global_relative_attention_bias.weight,
                pool_kv=pooled(pattern, call.module, call.hidden),
            )
        assert_equal(out, call)
