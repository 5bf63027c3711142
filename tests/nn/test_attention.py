"""The module: `nn.MultiheadAttention` where the mask is fixed, and what a module must survive."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from patternc.nn import Attention, Cache, from_config

Tensor = torch.Tensor
WIDTH, HEADS, N = 32, 4, 24


def _states(*shape: int) -> Tensor:
    torch.manual_seed(5)
    return torch.randn(*(shape or (2, N, WIDTH)))


def _pair(pattern: str, **options: Any) -> tuple[Attention, nn.MultiheadAttention]:
    """A module with the weights of torch's."""
    torch.manual_seed(1)
    given = {"batch_first": True, **options}
    own, other = (
        Attention(WIDTH, HEADS, pattern, **given),
        nn.MultiheadAttention(WIDTH, HEADS, **given),
    )
    own.load_state_dict(other.state_dict())
    return own, other


CAUSAL = torch.ones(N, N, dtype=torch.bool).triu(1)
BAND = (torch.arange(N)[:, None] - torch.arange(N)).abs() > 3


@pytest.mark.parametrize(
    ("pattern", "mask", "options"),
    [
        ("full", None, {}),
        ("causal", CAUSAL, {"bias": False}),
        ("local(3)", BAND, {"kdim": 20, "vdim": 12}),
        ("causal", CAUSAL, {"batch_first": False}),
    ],
)
def test_it_is_multihead_attention_with_the_same_weights(
    pattern: str, mask: Tensor | None, options: dict[str, Any]
) -> None:
    own, other = _pair(pattern, **options)
    query, key, value = (_states(2, N, width) for width in (WIDTH, own.kdim, own.vdim))
    if not own.batch_first:
        query = key = value = _states(N, 2, WIDTH)
    found, nothing = own(query, key, value)
    wanted, _ = other(query, key, value, attn_mask=mask, need_weights=False)
    assert nothing is None
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    weight = torch.randn_like(wanted)
    grads = [
        torch.autograd.grad((out * weight).sum(), list(module.parameters()))
        for module, out in ((own, found), (other, wanted))
    ]
    by_name = [
        dict(zip(dict(module.named_parameters()), of, strict=True))
        for module, of in zip((own, other), grads, strict=True)
    ]
    torch.testing.assert_close(by_name[0], by_name[1], atol=1e-4, rtol=1e-4)


def test_padding_is_that_of_torch_for_real_rows_and_one_sequence_needs_no_batch() -> None:
    own, other = _pair("causal")
    x, padding = _states(), torch.arange(N) >= torch.tensor([[N], [9]])
    found, _ = own(x, key_padding_mask=padding)
    wanted, _ = other(x, x, x, key_padding_mask=padding, attn_mask=CAUSAL, need_weights=False)
    torch.testing.assert_close(found[~padding], wanted[~padding], atol=1e-5, rtol=1e-5)
    alone, _ = own(x[1, :9])
    torch.testing.assert_close(alone, found[1, :9])


def test_an_encoder_layer_of_torch_takes_it() -> None:
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 16, batch_first=True, dropout=0.0)
    wanted = layer(_states(), src_mask=BAND)
    swapped = Attention(WIDTH, HEADS, "local(3)")
    swapped.load_state_dict(layer.self_attn.state_dict())
    layer.self_attn = swapped
    torch.testing.assert_close(layer(_states()), wanted, atol=1e-5, rtol=1e-5)


def test_steps_with_a_cache_are_one_call_also_with_padding_before() -> None:
    torch.manual_seed(2)
    attention = Attention(WIDTH, HEADS, "causal & local(6)", num_kv_heads=2).eval()
    x, padding = _states(), torch.arange(N) < torch.tensor([[0], [5]])
    whole, _ = attention(x, key_padding_mask=padding)
    for grad in (False, True):
        cache, steps = Cache(), []
        with torch.set_grad_enabled(grad):
            for first, stop in ((0, 10), (10, 11), (11, 14), (14, N)):
                mask = padding[:, :stop]
                steps.append(attention(x[:, first:stop], key_padding_mask=mask, cache=cache)[0])
        assert cache.length == N
        torch.testing.assert_close(torch.cat(steps, 1), whole, atol=1e-5, rtol=1e-5)
    cache.crop(14)
    again, _ = attention(x[:, 14:], key_padding_mask=padding, cache=cache)
    torch.testing.assert_close(again, whole[:, 14:], atol=1e-5, rtol=1e-5)
    cache.reorder(torch.tensor([1, 0]))
    assert cache.length == N


LEARNED = {
    "causal with t5(8, 32)": {"t5_bias": [8, HEADS]},
    "full with relative(4)": {"relative_keys": [9, 8]},
    "local(2) with sink": {"sinks": [HEADS]},
    "gate(local(2), full)": {"gate": [HEADS]},
    "full + full on persistent(3)": {
        "persistent_kv_k": [2, 3, 8],
        "persistent_kv_v": [2, 3, 8],
    },
    "full with distance_aware": {"distance_alpha": [HEADS], "distance_beta": [HEADS]},
    "causal with softspan(4, z=z)": {"z": [HEADS]},
}


@pytest.mark.parametrize("pattern", LEARNED)
def test_what_a_pattern_learns_is_a_parameter_with_a_gradient(pattern: str) -> None:
    attention = Attention(WIDTH, HEADS, pattern, num_kv_heads=2)
    shapes = {name: list(part.shape) for name, part in attention.learned.items()}
    assert shapes == LEARNED[pattern]
    with torch.no_grad():
        for part in attention.learned.values():
            part.copy_(torch.rand_like(part) + 0.1)
    attention(_states())[0].square().sum().backward()
    for part in attention.learned.values():
        assert part.grad is not None
        assert part.grad.abs().sum() > 0
    state = attention.state_dict()
    fresh = Attention(WIDTH, HEADS, pattern, num_kv_heads=2)
    fresh.load_state_dict(state)
    torch.testing.assert_close(fresh(_states())[0], attention(_states())[0])
    fresh.reset_parameters()
    assert not all(torch.equal(fresh.state_dict()[name], part) for name, part in state.items())


def test_projections_of_their_own_are_linear_layers() -> None:
    attention = Attention(WIDTH, HEADS, "local(2) + global([0], projection=g)", num_kv_heads=2)
    assert list(attention.projections) == ["g"]
    attention(_states())[0].sum().backward()
    assert attention.projections["g"].weight.grad.abs().sum() > 0


def test_one_module_for_all_layers_or_one_for_a_layer() -> None:
    text = "layers 2\nlayer == 0 -> local(1)\nelse -> full"
    whole, x = Attention(WIDTH, HEADS, text), _states()
    for layer, single in enumerate(("local(1)", "full")):
        own, alone = Attention(WIDTH, HEADS, text, layer=layer), Attention(WIDTH, HEADS, single)
        for module in (own, alone):
            module.load_state_dict(whole.state_dict())
        torch.testing.assert_close(whole(x, layer=layer)[0], alone(x)[0])
        torch.testing.assert_close(own(x)[0], alone(x)[0])
    with pytest.raises(ValueError, match="2 layers; give layer="):
        whole(x)
    with pytest.raises(ValueError, match="this module is layer 1"):
        own(x, layer=0)


def test_keys_of_another_sequence_go_to_the_encoder_of_the_pattern() -> None:
    own, other = _pair("columns(valid) on encoder")
    x, keys = _states(), _states(2, 7, WIDTH)
    valid = torch.arange(7) < torch.tensor([[7], [4]])
    found, _ = own(x, keys, valid=valid)
    wanted, _ = other(x, keys, keys, key_padding_mask=~valid, need_weights=False)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match=r"beside valid: .*columns\(valid\) on encoder"):
        own(x, keys, key_padding_mask=~valid, valid=valid)


def test_padding_of_an_encoder_is_left_out() -> None:
    own, other = _pair("full on encoder")
    x, keys = _states().requires_grad_(), _states(2, 7, WIDTH)
    for valid in (torch.arange(7) < torch.tensor([[7], [4]]), torch.rand(2, 7) < 0.5):
        valid[:, 2] = True
        found, _ = own(x, keys, key_padding_mask=~valid)
        wanted, _ = other(x, keys, keys, key_padding_mask=~valid, need_weights=False)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
        gradients = (torch.autograd.grad(each.square().sum(), x) for each in (found, wanted))
        torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-4)
    compiled = torch.compile(own, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, keys, key_padding_mask=~valid)[0], found)


def test_padding_of_longer_keys_is_left_out_before_their_queries() -> None:
    own, _ = _pair("local(3) + columns([0])")
    x, padding = _states(2, 9, WIDTH), torch.zeros(2, 9, dtype=torch.bool)
    padding[1, :3] = True
    whole, _ = own(x, key_padding_mask=padding)
    found, _ = own(x[:, 5:], x, key_padding_mask=padding)
    torch.testing.assert_close(found, whole[:, 5:])
    for of in (own, torch.compile(own, fullgraph=True, backend="aot_eager")):
        with pytest.raises((ValueError, RuntimeError), match="are `on encoder` in the pattern"):
            of(x[:, 5:], x, key_padding_mask=padding.flip(1))


def test_copies_pickles_and_autocast() -> None:
    attention, x = Attention(WIDTH, HEADS, "local(3) with sink").eval(), _states()
    wanted = attention(x)[0]
    file = io.BytesIO()
    torch.save(attention, file)
    file.seek(0)
    copies = copy.deepcopy(attention), pickle.loads(pickle.dumps(attention))
    for other in (*copies, torch.load(file, weights_only=False)):
        torch.testing.assert_close(other(x)[0], wanted, atol=0, rtol=0)
    with torch.autocast("cpu", torch.bfloat16):
        found = attention(x)[0]
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, atol=3e-2, rtol=3e-2)


def test_a_fresh_module_compiles_as_one_graph() -> None:
    attention, x = Attention(WIDTH, HEADS, "local(2) + columns([1])", num_kv_heads=2), _states()
    compiled = torch.compile(attention, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x)[0], attention(x)[0])
    compiled(x)[0].sum().backward()
    assert attention.in_proj_weight.grad is not None


def test_gradcheck() -> None:
    torch.manual_seed(3)
    attention = Attention(4, 2, "local(1) with sink", dtype=torch.float64)
    x = torch.randn(1, 5, 4, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in attention.named_parameters()]

    def of(x: Tensor, *parameters: Tensor) -> Tensor:
        given = dict(zip(names, parameters, strict=True))
        out: Tensor = torch.func.functional_call(attention, given, (x,))[0]
        return out

    assert torch.autograd.gradcheck(of, (x, *attention.parameters()))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"attn_mask": CAUSAL}, "mask of this module is its pattern"),
        ({"is_causal": True}, "write `causal`"),
        ({"need_weights": True}, "weights are never held"),
    ],
)
def test_what_cannot_be_honoured_is_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Attention(WIDTH, HEADS, "full")(_states(), **given)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="give head_dim"):
        Attention(30, 4, "full")
    with pytest.raises(ValueError, match="the pattern has 2 heads, the module 4"):
        Attention(WIDTH, 4, "heads 2\nfull")
    with pytest.raises(ValueError, match="num_heads 0; expected 1 or more"):
        Attention(WIDTH, 0, "full")
    with pytest.raises(ValueError, match="a divisor of 4"):
        Attention(WIDTH, 4, "full", num_kv_heads=3)
    with pytest.raises(TypeError, match="True for padding"):
        Attention(WIDTH, 4, "full")(
            _states(), key_padding_mask=torch.zeros(2, N, dtype=torch.int64)
        )


def test_a_configuration_states_the_sizes() -> None:
    config = SimpleNamespace(
        hidden_size=WIDTH, num_attention_heads=4, num_key_value_heads=2, head_dim=16
    )
    attention = from_config({**vars(config), "attention_bias": False}, "causal", layer=3)
    assert (attention.head_dim, attention.num_kv_heads, attention.layer) == (16, 2, 3)
    assert attention.in_proj_bias is None
    assert from_config(config, "causal", bias=False).in_proj_bias is None
    with pytest.raises(ValueError, match="states none of hidden_size"):
        from_config({}, "causal")


def test_importing_patternc_does_not_import_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, patternc; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


def test_torchs_encoder_calls_the_module_and_not_attention_of_its_own() -> None:
    """In evaluation, torch computes plain attention of the parameters where a module allows it."""
    own, other = _pair("local(3)")
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 64, batch_first=True, dropout=0.0)
    layer.self_attn = other
    masked = copy.deepcopy(layer).eval()
    layer.self_attn = own  # type: ignore[assignment]
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval()
    x, padding, i = _states(), torch.zeros(2, N, dtype=torch.bool), torch.arange(N)
    padding[1, -5:] = True
    far = (i[:, None] - i).abs() > 3
    with torch.no_grad():
        found = encoder(x, src_key_padding_mask=padding)
        expected = masked(x, src_mask=far, src_key_padding_mask=padding)
    torch.testing.assert_close(found[~padding], expected[~padding], atol=1e-5, rtol=1e-5)
    with pytest.raises(TypeError, match="-inf for padding and 0"):
        own(x, key_padding_mask=padding.float())


def test_modules_of_one_layer_keep_keys_of_their_own() -> None:
    """As in a stack whose schedule repeats: several modules are layer 0 of the pattern."""
    pattern = "causal\nlayers 2\nlocal(2 + 5 * layer)"
    first, second = (Attention(WIDTH, HEADS, pattern, layer=0).eval() for _ in range(2))
    x, cache = _states(), Cache()
    for stop in (10, N):
        start = 0 if stop == 10 else 10
        found = [module(x[:, start:stop], cache=cache)[0] for module in (first, second)]
    for module, last in zip((first, second), found, strict=True):
        torch.testing.assert_close(last, module(x)[0][:, 10:], atol=1e-5, rtol=1e-5)


def test_steps_that_do_not_continue_a_cache_are_refused() -> None:
    attention, x = Attention(WIDTH, HEADS, "causal").eval(), _states()
    cache, padding = Cache(), torch.zeros(2, N, dtype=torch.bool)
    attention(x[:, :5], cache=cache, key_padding_mask=padding[:, :5])
    with pytest.raises(ValueError, match=r"earlier calls .* had a key_padding_mask"):
        attention(x[:, 5:], cache=cache)
    with pytest.raises(ValueError, match="the cache holds 2 sequences, but the batch has 1"):
        attention(x[:1, 5:], cache=cache)
    with pytest.raises(ValueError, match=r"\[batch, n so far, .*here \[2, 6\]"):
        attention(x[:, 5:6], cache=cache, key_padding_mask=padding[:, 5:6])


def test_no_tokens_give_no_states() -> None:
    assert Attention(WIDTH, HEADS, "local(3)")(torch.randn(2, 0, WIDTH))[0].shape == (2, 0, WIDTH)
