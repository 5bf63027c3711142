"""A model of long sequences from one of short ones, by the recipe of the Longformer paper.

    folder of a BERT or RoBERTa, program, length -> folder with more positions and its attention

Position embeddings are copied one period behind another, self-attention is that of the program, and
its other projections begin as copies of the model's (Beltagy et al. 2020, section 5). The folder is
one of Transformers, whose `config.json` names the program; `load` gives the model. Does not train.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from patternc.bridges.transformers import extended
from patternc.bridges.transformers.masks import mask
from patternc.pattern import Pattern

_PROGRAM = "patternc"
_TOKENIZER = ("*token*", "vocab*", "merges.txt", "*.model")


def extend(source: str | Path, program: str | Pattern, length: int, target: str | Path) -> None:
    """Write the folder `target`: the model of the folder `source` for `length` tokens.

    `program` is a pattern on the tokens; `projection=NAME` in it gives rows projections of their
    own, which begin as copies of q, k and v. Raises `ValueError` for other families than BERT and
    RoBERTa, programs that these cannot be served with, and a length that the model has already;
    `FileExistsError` where `target` is not empty.
    """
    source, target = Path(source), Path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target} exists and is not empty; name a new folder")
    config = _configuration(source)
    pattern = program if isinstance(program, Pattern) else Pattern(program)
    extended.check_program(pattern, config)
    model = _class_of(config).from_pretrained(source, local_files_only=True)
    _extend_positions(model, length)
    extended.swap(model, pattern)
    named = {"program": pattern.text, "parameters": dict(pattern.parameters)}
    setattr(model.config, _PROGRAM, named)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / "model"
        model.save_pretrained(whole)
        _copy_tokenizer(source, whole, length)
        target.rmdir() if target.exists() else None
        whole.rename(target)


def load(folder: str | Path, model_class: Any = None, **options: Any) -> Any:
    """The model of a folder that `extend` wrote, or that was saved after it.

    `model_class` is one of Transformers, by default that of the folder; `options` are those of its
    `from_pretrained`. Raises `ValueError` for another folder.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.utils import logging

    folder = Path(folder)
    config = _configuration(folder)
    named = getattr(config, _PROGRAM, None)
    if named is None:
        raise ValueError(f"{folder} was not written by `patternc extend`: it names no program")
    AttentionInterface.register(extended.NAME, _never)
    AttentionMaskInterface.register(extended.NAME, mask)
    options = {"attn_implementation": extended.NAME, "local_files_only": True, **options}
    level = logging.get_verbosity()
    try:
        # Nothing but errors (40): the projections are loaded below.
        logging.set_verbosity(40)
        model = (model_class or _class_of(config)).from_pretrained(folder, **options)
    finally:
        logging.set_verbosity(level)
    extended.swap(model, Pattern(named["program"], parameters=named["parameters"]))
    _load_projections(model, folder)
    return model.eval()


def _never(module: nn.Module, *_given: Any, **_options: Any) -> None:
    raise RuntimeError(f"{type(module).__name__} has no pattern; load the model by `load`")


def _configuration(folder: Path) -> Any:
    from transformers import AutoConfig

    if not (folder / "config.json").is_file():
        raise ValueError(f"{folder} has no config.json; expected the folder of a saved model")
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type not in extended.FAMILIES or config.is_decoder:
        kind = "a decoder" if config.model_type in extended.FAMILIES else config.model_type
        raise ValueError(
            f"{folder} holds {kind}; expected an encoder of {', '.join(extended.FAMILIES)}. Other "
            "models take a program by `patternc.bridges.transformers.register`"
        )
    if getattr(config, "position_embedding_type", "absolute") not in ("absolute", None):
        raise ValueError(
            f"{folder} has {config.position_embedding_type} positions; expected absolute ones"
        )
    return config


def _class_of(config: Any) -> Any:
    import transformers

    names = config.architectures or ["AutoModel"]
    return getattr(transformers, names[0], transformers.AutoModel)


def _extend_positions(model: Any, length: int) -> None:
    """More rows of the table of positions, copies of those there; the first of RoBERTa's are not
    positions."""
    embeddings = model.base_model.embeddings
    table = embeddings.position_embeddings
    first = 0 if table.padding_idx is None else table.padding_idx + 1
    period = table.num_embeddings - first
    if length <= period:
        raise ValueError(f"length is {length}; the model has {period} positions already")
    rows = torch.arange(first + length)
    rows[first:] = first + torch.arange(length) % period
    longer = table.weight.detach()[rows]
    count, width = longer.shape
    new = nn.Embedding(count, width, padding_idx=table.padding_idx, _weight=longer)
    embeddings.position_embeddings = new
    model.config.max_position_embeddings = count
    every = torch.arange(count).expand(1, -1)
    embeddings.position_ids, embeddings.token_type_ids = every, torch.zeros_like(every)


def _load_projections(model: nn.Module, folder: Path) -> None:
    """The weights that Transformers has no module for."""
    from safetensors.torch import load_file

    held: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        held |= {_in_layer(name): part for name, part in load_file(file).items()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".projections." not in name:
                continue
            if _in_layer(name) not in held:
                raise ValueError(f"{folder} has no weights {name}; save the model with them")
            parameter.copy_(held[_in_layer(name)])


def _in_layer(name: str) -> str:
    """The name without what stands before the layers: a head of the model or none."""
    return name[max(0, name.find("encoder.layer.")) :]


def _copy_tokenizer(source: Path, target: Path, length: int) -> None:
    for file in sorted({each for kind in _TOKENIZER for each in source.glob(kind)}):
        if file.suffix != ".safetensors" and file.is_file():
            shutil.copy(file, target / file.name)
    file = target / "tokenizer_config.json"
    if file.is_file():
        values = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**values, "model_max_length": length}, indent=2) + "\n")
