"""Programs of stages: what is said of them, what follows from how they are joined, and replays."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from patternc import Pattern, Stages
from patternc.cli.main import commands
from patternc.ir.stages import QueryPool
from patternc.language import PatternError, fmt, parse, show
from patternc.resources import read
from patternc.runtime.pooled_queries import pool, repeat
from patternc.zoo import published_stages, staged_zoo

Tensor = torch.Tensor
FOLDER = Path(__file__).parents[1] / "examples" / "staged"


@pytest.mark.parametrize("name", staged_zoo())
def test_published_programs_are_laid_out_short_and_without_warnings(name: str) -> None:
    text, stages = published_stages(name), Stages.from_zoo(name)
    assert fmt(text) == text
    assert parse(show(parse(text))) == parse(text)
    assert sum(bool(line.strip()) and line[0] != "#" for line in text.splitlines()) <= 14
    assert not any(stage.pattern.warnings for stage in stages)


def test_the_example_of_the_manual_is_laid_out_and_runs() -> None:
    (text,) = re.findall(r"^```stages\n(.*?)^```$", read("grammar", "README.md"), re.M | re.S)
    assert fmt(text) == text
    assert Stages.parse(text).rows(16)["segments"] == 4


WRONG = {
    "local(2)": "a program without stages",
    "full\nstage a\nfull": "a pattern above the first stage",
    "stage a\nfull\nstage a\nfull": "two stages `a`",
    "stage a from b\nfull\nstage b\nfull": "`b` is not above this stage",
    "stage a from a\nfull": "`a` is not above this stage",
    "stage a\nfull on encoder": "`encoder` in the stage `a`, which is given no other sequence",
    "stage a from t, u\nfull": "no rule of the stage `a` asks for the keys of `u`",
    "stage a\nquery_pool(2, mean)\nunfold(4, margin=1)\nfull": "`query_pool` and `unfold`",
    "stage a from t, u\nunfold(4, margin=1)\nfull on encoder": "`unfold` in a stage with keys",
    "stage a\nunfold(4, margin=2)\nfull": "windows of 4 with margins of 2 keep nothing",
    "stage a\nquery_pool(0, mean)\nfull": "`k` of `query_pool` must be at least 1",
    "stage a\nquery_pool(2, mean, tail=merge)\nfull": "P055",
    "stage a\nfull\nquery_pool(2, mean)": "P004",
    "stage a\nstage b\nfull": "P020",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(PatternError) as caught:
        Stages.parse(text)
    assert WRONG[text] in str(caught.value)


def test_messages_have_the_places_of_the_whole_program() -> None:
    with pytest.raises(PatternError, match=r"P040(.|\n)*:6:1"):
        Stages.parse("param w = 2\nstage a\nlocal(w)\n\nstage b\nlocl(3)\n")
    stages = Stages.parse("param w = 2\nstage a\nlocal(w)\nstage b\nfull\n", w=3)
    assert stages.pairs(5) == {"a": 23, "b": 25}
    with pytest.raises(PatternError, match="P030"):
        Stages.parse("param w = 2\nstage a\nlocal(w)", v=3)
    # The words begin no statement elsewhere.
    assert Pattern.parse("let stage = 2\nlocal(stage)").pairs(5) == [19]


def test_a_command_takes_one_stage_of_a_file() -> None:
    path = str(FOLDER / "sled.pat")
    found = CliRunner().invoke(commands, ["check", f"{path}::decoder"])
    assert "12 layers" in found.output
    found = CliRunner().invoke(commands, ["stages", path, "-n", "600", "--sequence", "target=9"])
    assert "600 in 4 windows of 256" in found.output
    whole = CliRunner().invoke(commands, ["show", path])
    assert "P032" in whole.output
    assert "patternc check FILE" in whole.output


@pytest.mark.parametrize("n", [0, 1, 5, 16, 37])
def test_rows_of_windows_depend_on_their_window_and_are_kept_once(n: int) -> None:
    stages = Stages.parse("stage a\nunfold(8, margin=2)\nlayers 3\nlocal(5)")
    depends = stages.dependences(n)["a"]
    windows = stages["a"].unfold
    assert windows is not None
    for start, kept in zip(windows.starts(n), windows.kept(n), strict=True):
        for row in kept:
            assert np.flatnonzero(depends[row]).tolist() == list(range(start, min(start + 8, n)))


@pytest.mark.parametrize("tail", ["clip", "drop", "truncate"])
def test_pooled_rows_stand_for_their_windows(tail: Any) -> None:
    for n in range(12):
        how = QueryPool(3, "sum", 2, 1, tail)
        windows, states = how.windows(n), torch.randn(2, n, 4, dtype=torch.float64)
        wanted = [states[:, w.start : w.stop].sum(1) for w in windows]
        found = pool(states, how)
        assert found.shape == (2, len(windows), 4)
        torch.testing.assert_close(found, torch.stack(wanted, 1) if wanted else found)
        assert all(one.start < other.start for one, other in pairwise(windows))
        assert repeat(found, how, n).shape[1] == n if windows else n <= 3
        assert {row for w in windows for row in w} >= set(range(n - 2 if n > 3 else min(n, 1)))


def test_dependences_are_those_of_gradients() -> None:
    text = (
        "stage a\nlayers 2\nlocal(2)\nstage b\nquery_pool(3, mean, apart=1, tail=drop)\n"
        "full on encoder + local(1)\nstage c from a, b\ncausal\nlocal(1) + columns([1]) on encoder"
    )
    stages, states = Stages.parse(text), torch.randn(1, 23, 4).double().requires_grad_()

    def run(name: str) -> Any:
        pattern = stages[name].pattern

        def layers(states: Tensor, keys: Tensor | None = None) -> Tensor:
            given = {} if keys is None else {"encoder_kv": (keys[:, None], keys[:, None])}
            for layer in range(pattern.layers or 1):
                heads = states[:, None]
                options: Any = {"layer": layer, "backend": "reference", **given}
                states = states + pattern.attention(heads, heads, heads, **options)[:, 0]
            return states

        return layers

    found = stages.run({"tokens": states}, {name: run(name) for name in "abc"})
    for name, depends in stages.dependences(23).items():
        for row in range(len(depends)):
            (gradient,) = torch.autograd.grad(found[name][0, row].sum(), states, retain_graph=True)
            np.testing.assert_array_equal((gradient[0] != 0).any(1).numpy(), depends[row])


def _with_pattern(pattern: Pattern, layer: int) -> Any:
    """Transformers' attention of Funnel with its softmax by a pattern, and its terms as a bias."""

    def forward(self: Any, query: Tensor, key: Tensor, value: Tensor, given: Any, **_: Any) -> Any:
        position, types, _, apart = given

        def heads(part: Tensor) -> Tensor:
            return part.unflatten(2, (self.config.n_head, -1))

        q = heads(self.q_head(query)) * self.scale
        bias = self.relative_positional_attention(position, q, key.shape[1], apart)
        bias = bias + self.relative_token_type_attention(types, q, apart)
        q, k, v = (
            part.transpose(1, 2)
            for part in (
                q + self.r_w_bias * self.scale,
                heads(self.k_head(key)),
                heads(self.v_head(value)),
            )
        )
        pooled = query.shape[1] != key.shape[1]
        options: Any = {"encoder_kv": (k, v), "pooled": bias} if pooled else {"table": bias}
        own = (q, q, q) if pooled else (q, k, v)
        out = pattern.attention(*own, layer=layer, scale=1.0, backend="cpu", **options)
        out = self.post_proj(out.transpose(1, 2).flatten(2))
        return (self.layer_norm(query + out),)

    return forward


def test_funnel_is_the_encoder_of_transformers() -> None:
    modeling = pytest.importorskip("transformers.models.funnel.modeling_funnel")
    config = pytest.importorskip("transformers").FunnelConfig(
        block_sizes=[2, 2, 2], d_model=32, n_head=2, d_head=16, d_inner=32,
        hidden_dropout=0.0, attention_dropout=0.0, activation_dropout=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    encoder = modeling.FunnelEncoder(config).double().eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    stages, structure = Stages.from_zoo("funnel"), encoder.attention_structure
    for n in (16, 19):
        states = torch.randn(2, n, 32).double().requires_grad_()
        types = torch.ones(2, n, dtype=torch.int64)
        types[:, 0] = 2
        wanted = encoder(states, torch.ones(2, n), types)[0]
        inputs = structure.init_attention_inputs(states, torch.ones(2, n).double(), types)

        def run(block: int, inputs: list[Any]) -> Any:
            pattern = stages.stages[block].pattern

            def layers(states: Tensor, before: Tensor | None = None) -> Tensor:
                if before is not None:
                    pooled, inputs[0] = structure.pre_attention_pooling(before, inputs[0])
                    torch.testing.assert_close(states, pooled)
                for number, layer in enumerate(encoder.blocks[block]):
                    attention = layer.attention
                    attention.forward = MethodType(_with_pattern(pattern, number), attention)
                    keys = before if number == 0 and before is not None else states
                    states = layer(states, keys, keys, inputs[0])[0]
                    del attention.forward
                    if number == 0 and before is not None:
                        inputs[0] = structure.post_attention_pooling(inputs[0])
                return states

            return layers

        held = [inputs]
        names = ("first", "second", "third")
        found = stages.run(
            {"tokens": states}, {name: run(block, held) for block, name in enumerate(names)}
        )
        torch.testing.assert_close(found["third"], wanted, rtol=1e-5, atol=1e-5)
        gradients = [torch.autograd.grad(out.sum(), states)[0] for out in (found["third"], wanted)]
        torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def test_check_takes_all_stages_of_a_file_and_says_where_each_is_mistaken(tmp_path: Path) -> None:
    path = tmp_path / "two.pat"
    path.write_text("stage words\nlocal(2)\n\nstage top\ncausal\nlisted(l)\n")
    result = CliRunner().invoke(commands, ["check", str(path)])
    assert (result.exit_code, "two.pat::words: " in result.output) == (0, True)
    assert "two.pat::top: " in result.output
    path.write_text("stage words\nlocal(2)\n\nstage words\nfull\n")
    result = CliRunner().invoke(commands, ["check", str(path)])
    assert (result.exit_code, "two stages `words`" in result.output) == (1, True)
    path.write_text("stage words\nlocal(2)\n\nstage top\nlocla(2)\n")
    result = CliRunner().invoke(commands, ["check", str(path)])
    assert (result.exit_code, "two.pat:5:1" in result.output) == (1, True)
