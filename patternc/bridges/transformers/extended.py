"""The self-attention of a BERT or RoBERTa as a pattern's, with projections of its own.

    hidden states -> q, k, v, and those of each `projection=` -> `Pattern.attention`

A module in the place of the model's, whose weights it takes over, as Longformer's begin with
RoBERTa's (Beltagy et al. 2020, section 5). Does not load or write models.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from patternc.bridges.transformers.carrier import is_carrier
from patternc.bridges.transformers.facts import facts_of
from patternc.ir.sources import TOKENS, word_of
from patternc.pattern import Pattern
from patternc.semantics.errors import InputError

FAMILIES = ("bert", "roberta", "camembert", "xlm-roberta")
NAME = "patternc_extended"
"""The name that Transformers has for this attention."""
_PARTS = ("query", "key", "value")


class ExtendedAttention(nn.Module):
    """[batch, n, hidden] to as many, and no weights; `projections` begin as copies."""

    def __init__(self, before: Any, pattern: Pattern, layer: int) -> None:
        super().__init__()
        self.pattern, self.layer = pattern, layer if pattern.layers else 0
        self.query, self.key, self.value = (getattr(before, part) for part in _PARTS)
        self.heads: int = before.num_attention_heads
        self.share: float = before.dropout.p
        self.projections = nn.ModuleDict(
            {
                each.name: nn.ModuleDict(
                    {part: copy.deepcopy(getattr(before, part)) for part in _PARTS}
                )
                for each in pattern.inputs
            }
        )

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, **rest: Any
    ) -> tuple[Tensor, None]:
        """What the model's layer calls. Raises `InputError` for masks other than padding."""
        if rest.get("output_attentions"):
            raise InputError("output_attentions=True: weights [queries, keys] are never computed")
        q, k, v = (self._heads(part(hidden_states)) for part in (self.query, self.key, self.value))
        real = None if attention_mask is None else _real(attention_mask)
        dropout = self.share if self.training else 0.0
        given = self._projected(hidden_states)
        options = {"layer": self.layer, "key_padding": real, "dropout": dropout, **given}
        out: Tensor = self.pattern.attention(q, k, v, **options)
        return out.transpose(1, 2).flatten(2), None

    def _projected(self, states: Tensor) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, own in self.projections.items():
            assert isinstance(own, nn.ModuleDict)
            found[name] = tuple(self._heads(own[part](states)) for part in _PARTS)
        return found

    def _heads(self, part: Tensor) -> Tensor:
        return part.view(*part.shape[:2], self.heads, -1).transpose(1, 2)


def _real(mask: Tensor) -> Tensor:
    """Booleans [batch, n] of what the mask function of `masks` carries."""
    if not is_carrier(mask):
        raise InputError(
            f"a mask {list(mask.shape)} for the scores; pass the attention_mask [batch, n]"
        )
    labels = mask[:, 0, 0, :-2]
    if not torch.compiler.is_compiling() and bool((labels > 0).any()):
        raise InputError("packs of documents; pad them, or write `same(doc)` for another bridge")
    return labels == 0


def swap(model: nn.Module, pattern: Pattern) -> None:
    """Give every layer of a model the attention of a pattern."""
    for number, layer in enumerate(layers_of(model)):
        layer.attention.self = ExtendedAttention(layer.attention.self, pattern, number)


def layers_of(model: Any) -> Any:
    return model.base_model.encoder.layer


def check_program(pattern: Pattern, config: Any) -> None:
    """Raises `ValueError` for a program that these models cannot be served with."""
    if foreign := sorted({word_of(each) for each in pattern.sources() if each != TOKENS}):
        raise ValueError(f"the program has keys that are no tokens: {', '.join(foreign)}")
    given = [each.name for each in pattern.inputs if each.role != "projection"]
    if given:
        raise ValueError(
            f"the program has the run-time inputs {', '.join(given)}; only projections "
            "(`global([0], projection=global_qkv)`) are learned with the model"
        )
    for name, own, of_model in (
        ("heads", pattern.heads, config.num_attention_heads),
        ("layers", pattern.layers, config.num_hidden_layers),
    ):
        if own not in (None, of_model):
            raise ValueError(f"the program has {own} {name}, the model {of_model}")
    facts = [facts_of(pattern.relations(layer)) for layer in range(pattern.layers or 1)]
    if any(each.is_causal and each.farthest_back != 0 for each in facts):
        raise ValueError("queries see no later key in the program; the model sees both sides")
