"""Tiny models with a registered pattern equal their own eager attention."""

from __future__ import annotations

from functools import partial

import pytest
import torch

pytest.importorskip("transformers", reason="the test extra installs transformers")

from patternc.bridges.transformers import register
from patternc.pattern import Pattern
from patternc.semantics.errors import InputError
from tests.bridges.tiny_models import TINY, N, inputs_of, padding

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def names():
    return {
        family: register(tiny.program, name=f"pc_{family}", **tiny.registered)
        for family, tiny in TINY.items()
    }


def real_logits(model, given, side):
    """The logits of real tokens, one row each."""
    logits = model(**given).logits
    return logits[padding(side).bool()]


def both(model, name, work):
    """The same work with the model's eager attention and with the pattern's."""
    model.set_attn_implementation("eager")
    eager = work()
    model.set_attn_implementation(name)
    return eager, work()


def with_gradients(model, given, side):
    """Logits of real tokens and the gradients of all parameters."""
    model.zero_grad()
    logits = real_logits(model, given, side)
    (logits * torch.linspace(-1, 1, logits.shape[-1])).sum().backward()
    found = {
        name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None
    }
    return {"logits": logits.detach(), **found}


@pytest.mark.parametrize("side", ["none", "left", "right"])
@pytest.mark.parametrize("family", TINY)
def test_forward_and_gradients_equal_those_of_eager_attention(names, family, side):
    model = TINY[family].built()
    if family == "t5":
        # Its scores are not scaled: float32 alone rounds gradients by more than 1e-5.
        model = model.double()
    given = inputs_of(family, side)
    eager, own = both(model, names[family], lambda: with_gradients(model, given, side))
    assert eager.keys() == own.keys()
    for key, wanted in eager.items():
        scale = max(1, wanted.abs().max().item())
        torch.testing.assert_close(
            own[key] / scale,
            wanted / scale,
            msg=lambda text, key=key: f"{key}: {text}",
            **TOLERANCE,
        )


def generated(model, family, side, **options):
    """20 tokens after a batch of prompts, and the scores they were chosen by."""
    given = inputs_of(family, side)
    if family in ("t5", "whisper"):
        given = {key: value for key, value in given.items() if not key.startswith("decoder")}
    options = {"max_new_tokens": 20, "do_sample": False, "output_scores": True, **options}
    out = model.generate(**given, **options, return_dict_in_generate=True)
    return out.sequences, torch.stack(out.scores)


CACHES = {
    "dynamic": {},
    "static": {"cache_implementation": "static"},
    "beams": {"num_beams": 2},
    "none": {"use_cache": False},
}
# Every family with every padding and cache is in the sweep; here each value is met at least once.
FEW = {
    ("llama", "right", "dynamic"),
    ("gemma2", "left", "static"),
    ("gpt_oss", "left", "dynamic"),
    ("gpt_oss", "none", "beams"),
    ("t5", "right", "dynamic"),
    ("whisper", "none", "static"),
    ("mistral", "left", "static"),
}
EVERY = [
    pytest.param(
        family, side, cache, marks=[] if (family, side, cache) in FEW else pytest.mark.sweep
    )
    for family, tiny in TINY.items()
    if tiny.generates
    for side in ("none", "left", "right")
    for cache in CACHES
]


@pytest.mark.parametrize(("family", "side", "cache"), EVERY)
def test_twenty_generated_tokens_equal_those_of_eager_attention(names, family, side, cache):
    model = TINY[family].built()
    options = CACHES[cache]
    if family == "whisper":
        options = {**options, "language": None, "task": None}
    work = partial(generated, model, family, side, **options)
    (tokens, scores), (own_tokens, own_scores) = both(model, names[family], work)
    assert tokens.shape[1] >= 20
    torch.testing.assert_close(own_tokens, tokens)
    torch.testing.assert_close(own_scores, scores, rtol=1e-4, atol=1e-4)


COMPILED = [
    pytest.param(
        family, side, marks=[] if (family, side) == ("bert", "left") else pytest.mark.sweep
    )
    for family in TINY
    for side in ("none", "left", "right")
]


@pytest.mark.parametrize(("family", "side"), COMPILED)
def test_a_compiled_model_is_one_graph_and_has_the_same_numbers(names, family, side):
    model = TINY[family].built()
    model.set_attn_implementation(names[family])
    given = inputs_of(family, side)
    eager = with_gradients(model, given, side)
    torch.compiler.reset()
    model.compile(backend="aot_eager", fullgraph=True)
    own = with_gradients(model, given, side)
    for key, wanted in eager.items():
        torch.testing.assert_close(own[key], wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.sweep
def test_a_compiled_model_generates_with_a_static_cache(names):
    model = TINY["llama"].built(attn_implementation=names["llama"])
    given = {**inputs_of("llama", "left"), "max_new_tokens": 6, "do_sample": False}
    wanted = model.generate(**given, cache_implementation="static")
    torch.compiler.reset()
    model.forward = torch.compile(model.forward, backend="aot_eager")
    assert torch.equal(model.generate(**given, cache_implementation="static"), wanted)


# A pattern that is nobody's own: positions and the length count, not only distances.
FOREIGN = "causal\nsegment(4) + columns([0:2]) + local(left=2)"


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_gives_what_its_sequences_give_alone(side):
    model = TINY["llama"].built(attn_implementation=register(FOREIGN, name="pc_foreign"))
    given = inputs_of("llama", side)
    together = model(**given).logits
    for row, mask in enumerate(padding(side).bool()):
        alone = model(input_ids=given["input_ids"][row : row + 1, mask]).logits
        torch.testing.assert_close(together[row, mask], alone[0], **TOLERANCE)


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_encoder_s_pattern_counts_from_both_ends_of_each_sequence(side):
    name = register("local(1) + global([0, -1])", name="pc_ends")
    model = TINY["bert"].built(attn_implementation=name)
    given = inputs_of("bert", side)
    together = model(**given, position_ids=positions_of(side)).logits
    for row, mask in enumerate(padding(side).bool()):
        alone = model(input_ids=given["input_ids"][row : row + 1, mask]).logits
        torch.testing.assert_close(together[row, mask], alone[0], **TOLERANCE)


def positions_of(side):
    return (padding(side).cumsum(1) - 1).clamp(min=0)


def test_every_layer_has_its_own_rule_and_a_cached_step_equals_the_whole():
    text = "layers 2\ncausal\nlayer == 0 -> local(left=1)\nelse -> segment(5) + columns([0])"
    model = TINY["llama"].built(attn_implementation=register(text, name="pc_layers"))
    ids = inputs_of("llama")["input_ids"]
    whole = model(input_ids=ids).logits
    first = model(input_ids=ids[:, :9], use_cache=True)
    rest = model(input_ids=ids[:, 9:], past_key_values=first.past_key_values).logits
    torch.testing.assert_close(rest, whole[:, 9:], **TOLERANCE)
    swapped = register(text.replace("layer == 0", "layer == 1"), name="pc_swapped")
    model.set_attn_implementation(swapped)
    assert (model(input_ids=ids).logits - whole).abs().max() > 1e-2


def test_documents_of_a_pack_are_apart_as_in_eager_attention(names):
    model = TINY["gemma3"].built()
    ids = inputs_of("gemma3")["input_ids"][:2]
    positions = torch.cat([torch.arange(5), torch.arange(N - 5)])[None].expand(2, -1)
    given = {"input_ids": ids, "position_ids": positions, "use_cache": False}
    eager, own = both(model, names["gemma3"], lambda: model(**given).logits)
    torch.testing.assert_close(own, eager, **TOLERANCE)
    alone = model(input_ids=ids[:, 5:]).logits
    torch.testing.assert_close(own[:, 5:], alone, **TOLERANCE)
    with pytest.raises(InputError, match="use_cache=False"):
        model(**{**given, "use_cache": True})


def test_rows_without_a_key_are_zero_as_in_sdpa_and_not_the_mean_of_eager():
    """The prompt's padding is wider than the window, so that its last row sees padding alone."""
    model = TINY["mistral"].built(sliding_window=3)
    name = register("causal\nlocal(left=2)", name="pc_narrow")
    given = inputs_of("mistral", "right")
    eager, own = both(model, name, lambda: model(**given).logits[:, -1])
    model.set_attn_implementation("sdpa")
    torch.testing.assert_close(own, model(**given).logits[:, -1], **TOLERANCE)
    assert (own - eager).abs().max() > 1e-2


def test_a_sliding_cache_serves_a_wider_pattern_only_while_it_has_the_keys():
    model = TINY["mistral"].built()
    given = {**inputs_of("mistral", "left"), "max_new_tokens": 12, "do_sample": False}
    model.set_attn_implementation(register("causal\nsegment(6)", name="pc_segment"))
    cached = model.generate(**given)
    assert torch.equal(cached, model.generate(**given, use_cache=False))
    model.set_attn_implementation(register("causal\ncolumns([0]) + local(left=3)", name="pc_first"))
    with pytest.raises(InputError, match="DynamicCache"):
        model.generate(**given)


REFUSED = {
    "looks ahead": ("llama", "local(3)", {}, "write the line `causal`"),
    "causal where both sides are seen": ("bert", "causal", {}, "register"),
    "an encoder without a program": ("whisper", "causal", {}, 'encoder="full"'),
    "softcap": ("gemma2", "causal", {}, "softcap"),
    "sinks": ("gpt_oss", "causal", {}, "with sink"),
    "sinks that are not there": ("llama", "causal\nfull with sink", {}, "no attention sinks"),
    "too few layers": (
        "llama",
        "layers 1\ncausal\nlayer == 0 -> full\nelse -> none",
        {},
        "layer 1",
    ),
    "too many layers": ("llama", "layers 9\ncausal\nlocal(2 + layer)", {}, "model has 2 layers"),
    "scale": ("llama", "causal\nfull with scale(2)", {}, "scales its scores itself"),
    "a mask of scores": (
        "llama",
        "causal",
        {"attention_mask": torch.ones(3, 1, N, N)},
        "of padding",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_honoured_is_refused(what):
    family, text, given, message = REFUSED[what]
    model = TINY[family].built()
    model.set_attn_implementation(register(text, name="pc_refused"))
    with pytest.raises(InputError, match=message):
        model(**{**inputs_of(family), **given})


def test_keys_of_another_sequence_are_refused_where_a_module_does_not_say_so():
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    function = ALL_ATTENTION_FUNCTIONS[register("full", name="pc_other")]
    q, k = torch.zeros(1, 2, 5, 4), torch.zeros(1, 2, 3, 4)
    with pytest.raises(InputError, match="of another sequence"):
        function(torch.nn.Module(), q, k, k, None)


def test_images_laid_over_a_mask_are_refused():
    from transformers.masking_utils import create_causal_mask

    model = TINY["llama"].built(attn_implementation=register("causal", name="pc_images"))
    embeddings, blocks = torch.zeros(1, 6, 32), torch.tensor([[-1, 0, 0, -1, -1, -1]])
    with pytest.raises(InputError, match="or_masks"):
        create_causal_mask(model.config, embeddings, None, None, block_sequence_ids=blocks)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("causal", "a/b", "without `/`"),
        ("causal", "sdpa", "which Transformers has for another attention"),
        ("causal", "eager", "which Transformers has for another attention"),
        ("causal & same(document)", "pc_inputs", "document"),
        ("local(2) + full on pool(2, mean)", "pc_sources", "pool"),
    ],
)
def test_programs_that_no_model_can_be_served_with_are_refused_at_once(text, name, message):
    with pytest.raises(ValueError, match=message):
        register(text, name=name)


@pytest.mark.parametrize("family", ["llama", pytest.param("bert", marks=pytest.mark.sweep)])
def test_fifty_steps_of_training_have_the_losses_of_sdpa(names, family):
    losses = {}
    for name in ("sdpa", names[family]):
        model = TINY[family].built(attn_implementation=name)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        given = inputs_of(family, "right")
        labels = given["input_ids"].masked_fill(padding("right") == 0, -100)
        losses[name] = []
        for _ in range(50):
            loss = model(**given, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[name].append(loss.detach())
    dense, own = (torch.stack(each) for each in losses.values())
    torch.testing.assert_close(own, dense, rtol=0, atol=1e-4)
    assert dense[-1] < dense[0] / 2


def test_the_text_with_more_inputs_means_the_same_where_all_keys_are_real():
    from patternc.bridges.transformers.rewriting import with_position_bias, with_real_keys

    for text in ("causal", "let both = mix(local(2), strided(3))\nboth", FOREIGN):
        hidden = Pattern.parse(with_real_keys(text))
        real = torch.ones(9, dtype=torch.bool)
        plain = Pattern.parse(text)
        assert (hidden.multiplicity(9, real_keys=real) == plain.multiplicity(9)).all()
        real[3] = False
        assert not hidden.mask(9, real_keys=real)[..., 3].any()
    biased = Pattern.parse(with_position_bias("causal\nlocal(left=2)"))
    assert [each.name for each in biased.inputs] == ["position_bias"]


ATTENTIONS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
SHOWN = [
    pytest.param(
        family,
        side,
        marks=[] if (family, side) in {("t5", "right"), ("gpt_oss", "left")} else pytest.mark.sweep,
    )
    for family in TINY
    for side in ("none", "left", "right")
]


@pytest.mark.parametrize(("family", "side"), SHOWN)
def test_the_weights_of_output_attentions_are_those_of_eager_attention(names, family, side):
    model = TINY[family].built()
    if family == "t5":
        model.double()  # its scores are not scaled: float32 rounds above the bound
    given = {**inputs_of(family, side), "output_attentions": True}
    eager, own = both(model, names[family], lambda: model(**given))
    real, seen = padding(side).bool(), 0
    for key in ATTENTIONS:
        for wanted, found in zip(eager.get(key) or (), own.get(key) or (), strict=True):
            rows = slice(None) if key == "encoder_attentions" and family == "whisper" else real
            torch.testing.assert_close(
                found.transpose(1, 2)[rows], wanted.transpose(1, 2)[rows], **TOLERANCE
            )
            seen += 1
    assert seen >= 2


def test_weights_of_a_step_on_a_sliding_cache_are_those_of_its_keys(names):
    model = TINY["mistral"].built()
    ids = inputs_of("mistral")["input_ids"]
    mask = padding("left")

    def step():
        first = model(input_ids=ids[:, :-1], attention_mask=mask[:, :-1], use_cache=True)
        cache = first.past_key_values
        step = {"attention_mask": mask, "past_key_values": cache, "output_attentions": True}
        return model(input_ids=ids[:, -1:], **step).attentions

    for wanted, found in zip(*both(model, names["mistral"], step), strict=True):
        torch.testing.assert_close(found, wanted, **TOLERANCE)
