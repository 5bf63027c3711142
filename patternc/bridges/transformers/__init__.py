"""A pattern as the attention of a model of Transformers.

    >>> import torch, transformers
    >>> from patternc.bridges.transformers import register
    >>> name = register("causal\\nlocal(left=7) + columns([0:2])", name="sinks_and_window")
    >>> config = transformers.LlamaConfig(
    ...     vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
    ...     num_attention_heads=4, num_key_value_heads=2, attn_implementation=name)
    >>> model = transformers.LlamaForCausalLM(config)
    >>> model(torch.randint(64, (1, 20))).logits.shape
    torch.Size([1, 20, 64])

`model.set_attn_implementation(name)` does the same for a model that exists. The choice is not saved
with a model. Padding, packs of documents (by `position_ids`), caches and beam search are followed;
positions count from the first token of each sequence, so that a padded batch gives what its
sequences give alone. What cannot be honoured raises `InputError`.
"""

from __future__ import annotations

from patternc.bridges.transformers.attention import Registered
from patternc.bridges.transformers.masks import mask
from patternc.bridges.transformers.programs import served
from patternc.pattern import Pattern

__all__ = ["register"]


def register(
    program: str | Pattern,
    *,
    name: str,
    encoder: str | Pattern | None = None,
    cross: str | Pattern = "full",
) -> str:
    """Registers a program as an attention of Transformers, and returns its name.

    `program` is for every module that attends to its own sequence; with the header `layers` each
    layer has its own rule. An encoder-decoder model needs `encoder`, the program of its encoder;
    its decoder attends to the encoder by `cross`, where every query sees keys by their positions
    alone. A second registration under a name replaces the first.

    Raises `PatternError` for an invalid program, `ValueError` for one that a model cannot be served
    with (other keys than the tokens, run-time inputs), for a name with `/`, which Transformers
    takes for a repository, and for one that is not registered from here, such as "sdpa".
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(
            f"name is {name!r}; expected a word without `/`, such as 'patternc_window'"
        )
    _refuse_others(name, ALL_ATTENTION_FUNCTIONS.get(name))
    found = Registered(
        name,
        served(program, name),
        None if encoder is None else served(encoder, name),
        served(cross, name),
    )
    found.own.pattern.module  # noqa: B018 - what cannot be compiled is reported here
    AttentionInterface.register(name, found.attention)
    AttentionMaskInterface.register(name, mask)
    return name


def _refuse_others(name: str, present: object) -> None:
    """A name of Transformers or of another library: every model that uses it would change."""
    owner = getattr(present, "__self__", None)
    if name == "eager" or (present is not None and not isinstance(owner, Registered)):
        raise ValueError(
            f"name is {name!r}, which Transformers has for another attention; take a name of your "
            "own, such as 'patternc_window'"
        )
