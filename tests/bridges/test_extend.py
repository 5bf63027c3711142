"""Models of long sequences made from short ones: those of Transformers are what they equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from click.testing import CliRunner

from patternc.bridges.transformers.extend import extend, load
from patternc.cli.main import commands
from tests.bridges.test_configurations import small

LONGFORMER = "local(4) + global([0], projection=g)"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small models with random weights, with 16 positions each."""
    found = {}
    for family, rows in (("bert", 16), ("roberta", 18), ("gpt2", 16)):
        torch.manual_seed(3)
        config = small(family)
        config.max_position_embeddings = rows
        config.pad_token_id = 1
        kind = transformers.AutoModel if family == "gpt2" else transformers.AutoModelForMaskedLM
        found[family] = tmp_path_factory.mktemp("models") / family
        kind.from_config(config).save_pretrained(found[family])
    (found["roberta"] / "tokenizer_config.json").write_text('{"model_max_length": 16}')
    return found


def _ids(n: int) -> torch.Tensor:
    return torch.randint(3, 64, (2, n), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_all_pairs_give_what_the_model_gave(
    family: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    extend(folders[family], "full", 40, tmp_path / "long")
    before = transformers.AutoModelForMaskedLM.from_pretrained(folders[family]).eval()
    model = load(tmp_path / "long")
    mask = torch.ones(2, 16, dtype=torch.int64)
    mask[1, 10:] = 0
    found, wanted = (each(_ids(16), mask).logits for each in (model, before))
    torch.testing.assert_close(found[mask > 0], wanted[mask > 0], atol=1e-5, rtol=1e-4)
    rows = model.base_model.embeddings.position_embeddings.weight
    old = before.base_model.embeddings.position_embeddings.weight
    first = len(old) - 16
    assert len(rows) == first + 40
    assert torch.equal(rows[: first + 16], old)
    assert torch.equal(rows[first + 16 : first + 32], old[first:])
    assert torch.equal(rows[first + 32 :], old[first : first + 8])
    with torch.no_grad():
        assert model(_ids(40)).logits.shape == (2, 40, 64)


def test_it_is_the_longformer_that_has_its_weights(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    command = ["extend", str(folders["roberta"]), "-e", LONGFORMER, "--length", "40"]
    done = CliRunner().invoke(commands, [*command, "-o", str(tmp_path / "long")])
    assert done.exit_code == 0, done.output
    model = load(tmp_path / "long", transformers.AutoModel)
    assert '"model_max_length": 40' in (tmp_path / "long" / "tokenizer_config.json").read_text()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".projections." in name:  # as trained
                weight.add_(torch.randn_like(weight), alpha=0.1)
    model.save_pretrained(tmp_path / "trained")
    model = load(tmp_path / "trained", transformers.AutoModel)
    config = transformers.LongformerConfig(
        **{**model.config.to_dict(), "attention_window": 8, "model_type": "longformer"}
    )
    longformer = transformers.LongformerModel(config).eval()
    weights = {
        name.replace("projections.g.", "").replace(".query.", ".query_global.")
        .replace(".key.", ".key_global.").replace(".value.", ".value_global.")
        if ".projections." in name else name: weight
        for name, weight in model.state_dict().items()
    }  # fmt: skip
    assert not longformer.load_state_dict(weights, strict=False).missing_keys
    mask, glob = torch.ones(2, 40, dtype=torch.int64), torch.zeros(2, 40, dtype=torch.int64)
    mask[1, 31:], glob[:, 0] = 0, 1
    wanted = longformer(_ids(40), mask, global_attention_mask=glob)[0][mask > 0]
    torch.testing.assert_close(model(_ids(40), mask)[0][mask > 0], wanted, atol=1e-5, rtol=1e-4)


REFUSED: list[tuple[str, str, int, str]] = [
    ("gpt2", "full", 40, "holds gpt2; expected an encoder of bert, roberta"),
    ("bert", "full", 16, "length is 16; the model has 16 positions already"),
    ("bert", "heads 3\nfull", 40, "3 heads, the model 4"),
    ("bert", "columns(valid)", 40, "run-time inputs valid; only projections"),
    ("bert", "full on memory(4)", 40, "has keys that are no tokens: memory"),
    ("bert", "causal", 40, "queries see no later key"),
]


@pytest.mark.parametrize(("family", "text", "length", "message"), REFUSED)
def test_what_cannot_be_made_is_refused_and_nothing_written(
    family: str, text: str, length: int, message: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    command: list[Any] = ["extend", str(folders[family]), "-e", text, "-n", str(length)]
    done = CliRunner().invoke(commands, [*command, "-o", str(tmp_path / "long")])
    assert done.exit_code == 1
    assert message in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_folders_are_not_overwritten_and_not_taken_for_others(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        extend(folders["bert"], "full", 40, folders["roberta"])
    with pytest.raises(ValueError, match=r"has no config\.json"):
        extend(tmp_path, "full", 40, tmp_path / "long")
    with pytest.raises(ValueError, match="was not written by `patternc extend`"):
        load(folders["bert"])
