"""Programs of configurations, and models held to programs."""

from __future__ import annotations

import json

import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("transformers", reason="the test extra installs transformers")

from transformers import AttentionInterface, AutoConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from patternc.bridges.transformers import register
from patternc.bridges.transformers.audit import audit
from patternc.bridges.transformers.configurations import (
    ConfigurationError,
    load_configuration,
    program_of,
)
from patternc.bridges.transformers.families import OWN_CODE
from patternc.bridges.transformers.layer_rules import program_text
from patternc.bridges.transformers.small_models import small_model, small_values
from patternc.cli.main import commands
from patternc.pattern import Pattern
from patternc.search.from_mask.terms import condition
from tests.bridges.tiny_models import TINY


def small(family, **values):
    sizes = small_values(AutoConfig.for_model(family).to_dict())
    return AutoConfig.for_model(family, **{**sizes, **values})


WINDOW = {"sliding_window": 6, "num_hidden_layers": 6}
OBSERVED = {
    "mistral": WINDOW,
    "gemma3_text": WINDOW,
    "gemma2": WINDOW,
    "cwm": WINDOW,
    "gpt_oss": WINDOW,
    "mimo_v2_flash": {**WINDOW, "num_hidden_layers": 7},
    "llama4_text": {"attention_chunk_size": 6, "num_hidden_layers": 4},
    "modernbert": {"local_attention": 6, "num_hidden_layers": 4},
    "openai_privacy_filter": {"sliding_window": 4, "num_hidden_layers": 2},
    "gemma4_text": {**WINDOW, "use_bidirectional_attention": "all"},
    "moshi": {**WINDOW, "num_hidden_layers": 2},
    "qwen2": {**WINDOW, "use_sliding_window": True, "max_window_layers": 2},
    "bert": {"num_hidden_layers": 2},
    "olmo_hybrid": {"num_hidden_layers": 4},
}
FEW = ("gemma3_text", "llama4_text", "modernbert")


@pytest.mark.parametrize(
    "family",
    [pytest.param(each, marks=[] if each in FEW else pytest.mark.sweep) for each in OBSERVED],
)
def test_the_program_of_a_family_holds_the_pairs_that_act_in_its_model(family):
    config = small(family, **OBSERVED[family])
    seen = audit(small_model(config), program_of(config), n=20)
    assert seen.wrong is None, str(seen.wrong)
    assert len(seen.situations) >= 4


TEXTS = {
    "longformer": ({"attention_window": [8, 16], "num_hidden_layers": 2}, ["local(4)", "local(8)"]),
    "big_bird": ({"block_size": 16, "num_random_blocks": 2}, ["blocks(16)", "random(2"]),
    "reformer": ({"attn_layers": ["local", "local"], "is_decoder": True}, ["segment(64, back=1)"]),
    "gpt_neo": (
        {"num_layers": 4, "attention_types": [[["global", "local"], 2]], "window_size": 8},
        ["layer % 2 == 1 -> (causal & local(left=7)) with scale(1)"],
    ),
    "gemma2": ({}, ["layer % 2 == 1 -> full with softcap(50)", "local(left=4095)"]),
}


@pytest.mark.parametrize("family", TEXTS)
def test_texts_of_families(family):
    values, parts = TEXTS[family]
    text = program_of(AutoConfig.for_model(family, **values))
    Pattern.parse(text)
    for part in parts:
        assert part in text


OF_THEIR_OWN = {
    "longformer": {"attention_window": [4, 8], "num_hidden_layers": 2},
    "led": {
        "attention_window": [4, 8],
        "encoder_layers": 2,
        "decoder_layers": 1,
        "max_encoder_position_embeddings": 64,
    },
    "longt5": {"encoder_attention_type": "local", "local_radius": 3, "num_layers": 2},
    "reformer": {
        "attn_layers": ["local", "local"],
        "is_decoder": True,
        "local_attn_chunk_length": 4,
        "axial_pos_shape": [4, 6],
        "axial_pos_embds_dim": [16, 16],
        "attention_head_size": 8,
        "feed_forward_size": 32,
    },
}


@pytest.mark.parametrize("family", OF_THEIR_OWN)
def test_families_with_layers_of_their_own_are_audited_by_tokens(family):
    config = small(family, **OF_THEIR_OWN[family])
    model = small_model(config)
    part = "encoder" if config.is_encoder_decoder else ""
    model = model.get_encoder() if part else model
    text = program_of(config, part)
    seen = audit(model, text, n=24)
    if family == "reformer":  # its chunks begin with the row, also where padding does
        assert seen.wrong.situation.endswith("padded on the left")
    else:
        assert seen.wrong is None, str(seen.wrong)
        assert (seen.layers, len(seen.situations)) == (2, 4)
    other = {"longt5": ("(3)", "(4)"), "reformer": ("back=1", "back=2")}
    wider = text.replace(*other.get(family, ("local(2)", "local(3)")))
    assert not audit(model, wider, n=24).wrong.acts_in_model


def test_a_window_on_both_sides_is_told_where_it_was_observed():
    config = small("gemma3_text", **WINDOW, use_bidirectional_attention=True)
    text = program_of(config)
    assert "local(3)" in text
    assert audit(small_model(config), text, n=16).wrong is None
    with pytest.raises(ConfigurationError, match="not known here"):
        program_of(small("mistral", **WINDOW), "encoder")


def test_a_model_of_two_parts_has_two_programs():
    config = AutoConfig.for_model("longt5", encoder_attention_type="transient-global")
    with pytest.raises(ConfigurationError, match="encoder and a decoder"):
        program_of(config)
    assert "causal" in program_of(config, "decoder")
    sources = Pattern.parse(program_of(config, "encoder")).sources()
    assert [type(each).__name__ for each in sources] == ["Tokens", "Pool"]


@pytest.mark.parametrize("family", ["doge", "reformer", "hy_v4", "deepseek_v4"])
def test_families_that_find_their_keys_at_run_time_are_refused(family):
    with pytest.raises(ConfigurationError, match="run time"):
        program_of(AutoConfig.for_model(family))


def pairs_of_one_layer(family, **values):
    """Which tokens change the output of a model of one layer, by position."""
    defaults = AutoConfig.for_model(family).to_dict()
    counts = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    values |= {name: 1 for name in counts if defaults.get(name) is not None}
    model = small_model(small(family, **values))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
        ids = torch.arange(10, 22)[None]
        other = [ids.index_fill(1, torch.tensor([key]), 40) for key in range(12)]
        found = [model(input_ids=each)[0] - model(input_ids=ids)[0] for each in other]
    return (torch.stack(found).abs().amax(-1)[:, 0] > 1e-6).T.numpy()


OWN_CODE_VALUES = {
    "xglm": {"attention_heads": 4, "ffn_dim": 32},
    "gptj": {"rotary_dim": 4},
    "codegen": {"rotary_dim": 4},
    "flaubert": {"emb_dim": 32, "n_heads": 4},
}


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(each, marks=[] if each == "bloom" else pytest.mark.sweep)
        for each in sorted(OWN_CODE)
    ],
)
def test_families_with_code_of_their_own_have_the_pairs_of_their_program(family):
    pattern = Pattern.parse(program_of(AutoConfig.for_model(family)))
    assert pattern.layers is None
    pairs = pairs_of_one_layer(family, **OWN_CODE_VALUES.get(family, {}))
    assert (pairs == pattern.mask(12)[0]).all()


@pytest.mark.parametrize("kind", ["local", "global"])
def test_the_two_kinds_of_layers_of_gpt_neo(kind):
    values = {"attention_types": [[[kind], 1]], "num_layers": 1, "window_size": 4}
    pattern = Pattern.parse(program_of(AutoConfig.for_model("gpt_neo", **values)))
    assert (pairs_of_one_layer("gpt_neo", **values) == pattern.mask(12)[0]).all()


def test_families_with_code_of_their_own_that_was_not_observed_are_refused():
    with pytest.raises(ConfigurationError, match="was not observed"):
        program_of(AutoConfig.for_model("nystromformer"))


@pytest.mark.parametrize(
    ("chosen", "layers", "text"),
    [
        ([5], 6, "layer == 5"),
        ([1, 3, 5], 6, "layer % 2 == 1"),
        ([2, 3], 4, "layer >= 2"),
        ([0, 1], 4, "layer < 2"),
        ([0, 1, 3], 6, "layer == 0 or layer == 1 or layer == 3"),
    ],
)
def test_conditions_choose_their_layers(chosen, layers, text):
    assert condition("layer", chosen, layers) == text
    rules = ["local(1)" if layer in chosen else "full" for layer in range(layers)]
    pattern = Pattern.parse(program_text(rules, False))
    local = [layer for layer in range(layers) if not pattern.mask(9, layer=layer).all()]
    assert local == chosen


def write(tmp_path, **values):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def test_import_writes_the_program_of_a_file_and_of_its_folder(tmp_path):
    path = write(tmp_path, model_type="gemma3_text", num_hidden_layers=26, sliding_window=512)
    found = CliRunner().invoke(commands, ["import", path])
    assert found.output == (
        "# gemma3_text, 26 layers\ncausal\nlayers 26\n"
        "layer % 6 == 5 -> full\nelse -> local(left=511)\n"
    )
    changed = CliRunner().invoke(commands, ["import", str(tmp_path), "--set", "sliding_window=8"])
    assert changed.output == found.output.replace("511", "7")


def test_show_draws_the_program_of_a_model(tmp_path):
    path = write(tmp_path, model_type="mistral", num_hidden_layers=2, sliding_window=3)
    found = CliRunner().invoke(commands, ["show", "--model", path, "-n", "12"])
    own = CliRunner().invoke(commands, ["show", "-e", "causal\nlocal(left=2)", "-n", "12"])
    assert found.output.splitlines()[1:] == own.output.splitlines()[1:]
    both = CliRunner().invoke(commands, ["show", "--model", path, "-e", "causal"])
    assert both.exit_code == 2
    assert "--model replaces" in both.output
    alone = CliRunner().invoke(commands, ["show", "-e", "causal", "--part", "decoder"])
    assert (alone.exit_code, "--part is of a --model" in alone.output) == (2, True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no `model_type`"),
        ({"model_type": "t5"}, "encoder and a decoder"),
        ({"model_type": "no_such_model"}, "cannot build"),
    ],
)
def test_configurations_without_a_program_say_why(tmp_path, values, message):
    found = CliRunner().invoke(commands, ["import", write(tmp_path, **values)])
    assert found.exit_code == 1
    assert message in found.output


def test_changes_that_a_configuration_does_not_know_are_refused(tmp_path):
    file = write(tmp_path, model_type="mistral")
    for change, message in (
        ("slidng_window=8", "did you mean `sliding_window`?"),
        ("sliding_window=wide", "mistral: Transformers cannot build it"),
    ):
        found = CliRunner().invoke(commands, ["import", file, "--set", change])
        assert found.exit_code == 1
        assert message in found.output


def test_a_name_that_is_not_in_the_local_cache_is_not_downloaded(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigurationError, match="local cache"):
        load_configuration("no_such_owner/no_such_model")


def test_audit_tells_the_first_wrong_pair_with_both_rules(tmp_path):
    path = write(tmp_path, model_type="mistral", num_hidden_layers=2, sliding_window=6)
    right = CliRunner().invoke(commands, ["audit", path, "-n", "16"])
    assert right.exit_code == 0
    assert right.output.startswith("2 layers agree: 16 tokens; 9 tokens; ")
    both = CliRunner().invoke(commands, ["audit", path, "-e", "causal", "--part", "decoder"])
    assert (both.exit_code, "a program is given" in both.output) == (2, True)
    wrong = CliRunner().invoke(commands, ["audit", path, "-n", "16", "-e", "causal\nlocal(left=6)"])
    assert wrong.exit_code == 1
    assert wrong.output == (
        "layer 0, head 0, 16 tokens: query 6 attends to key 0 in the program alone\n"
        "  model    query 6 sees 1 to 6\n"
        "  program  query 6 sees 0 to 6, by `causal, local(left=6)`\n"
    )


def test_audit_finds_padding_that_is_dropped():
    """An attention function without a mask function is given no mask."""
    AttentionInterface.register("pc_no_mask", sdpa_attention_forward)
    model = TINY["bert"].built(attn_implementation="pc_no_mask")
    wrong = audit(model, "full", n=16).wrong
    assert wrong.situation == "16 tokens, the second row padded on the left"
    assert (wrong.query, wrong.key, wrong.acts_in_model) == (5, 0, True)


def test_audit_finds_the_head_that_differs_and_a_step_with_a_sliding_cache():
    text = (
        "heads 4\nlayers 2\ncausal\nlayer == 1 and head == 2 -> segment(4)\nelse -> local(left=3)"
    )
    model = TINY["mistral"].built(attn_implementation=register(text, name="pc_heads"))
    assert audit(model, text, n=16).wrong is None
    wrong = audit(model, "causal\nlocal(left=3)", n=16).wrong
    assert (wrong.layer, wrong.head, wrong.query, wrong.key) == (1, 2, 4, 1)


def test_audit_takes_an_encoder_and_refuses_a_model_of_two_parts():
    model = TINY["t5"].built()
    with pytest.raises(ValueError, match="get_encoder"):
        audit(model, "full")
    assert audit(model.get_encoder(), "full", n=16).wrong is None


def test_audit_refuses_models_without_attention_functions():
    class Other(torch.nn.Module):
        def forward(self, **_):
            return None

    model = TINY["bert"].built()
    other = Other()
    other.config, other.set_attn_implementation = model.config, lambda _name: None
    with pytest.raises(ValueError, match="no layer calls"):
        audit(other, "full")
