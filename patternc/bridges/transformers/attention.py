"""The attention function that Transformers calls in every layer.

Chooses the program for the module, refuses what the program cannot honour, and calls the pattern:
directly where all keys are tokens of one sequence, else by sequences. `torch.compile` sees the
latter as one operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from patternc.bridges.transformers.carrier import everything, is_carrier, placed
from patternc.bridges.transformers.facts import LayerFacts
from patternc.bridges.transformers.programs import Served
from patternc.bridges.transformers.sequences import Work, attend, call
from patternc.semantics.errors import InputError

# What models pass on to every attention function and what changes nothing here: a window and the
# causality of the model are what the program replaces.
_KNOWN = (
    "sliding_window",
    "position_ids",
    "cache_position",
    "use_cache",
    "deterministic",
    "is_causal",
    "num_items_in_batch",
    "output_attentions",
    "return_dict",
    "output_hidden_states",
    "logits_to_keep",
)


@dataclass(frozen=True, eq=False)
class Registered:
    """The programs of one name: of a model's own attention, of an encoder beside it, across."""

    name: str
    own: Served
    encoder: Served | None
    cross: Served

    def attention(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        dropout: float = 0.0,
        scaling: float | None = None,
        position_bias: Tensor | None = None,
        softcap: float | None = None,
        s_aux: Tensor | None = None,
        **rest: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """What `AttentionInterface` calls: [batch, queries, heads, d], and weights if asked for.

        Weights [batch, heads, queries, keys] are for `output_attentions`.
        """
        self._refuse(attention_mask, rest)
        self._refuse_hidden_packs(attention_mask, rest.get("position_ids"))
        causal = is_causal(module, rest)
        crossing = is_crossing(module, causal)
        if not causal and not crossing and query.shape[2] != key.shape[2]:
            raise InputError(
                f"{self.name}: {type(module).__name__} has {query.shape[2]} queries and "
                f"{key.shape[2]} keys of another sequence, but does not say so; "
                "use attn_implementation='sdpa' for this model"
            )
        chosen = self.cross if crossing else self._chosen(module, causal)
        layer = self._layer(module, chosen)
        facts = chosen.facts(layer)
        self._check_modifiers(facts, softcap, scaling)
        sinks = self._sinks(chosen, s_aux)
        work = Work(
            chosen, layer, query, key, value, scaling, dropout, sinks, position_bias, crossing
        )
        work = replace(work, weights=bool(rest.get("output_attentions")))
        out, weights = work.parts(self._run(work, attention_mask))
        return out.transpose(1, 2).contiguous(), weights

    def _run(self, work: Work, mask: Tensor | None) -> Tensor:
        plain = mask is None and work.bias is None
        if plain and (work.crossing or work.q.shape[2] <= work.k.shape[2]):
            return call(work, None)
        queries, keys = work.q.shape[2], work.k.shape[2]
        if mask is None:
            mask = everything(len(work.q), queries, keys, work.q.device)
        if torch.compiler.is_compiling():
            self._refuse_weights(work)
            return _as_operator(work, mask)
        return attend(work, placed(mask))

    def _refuse(self, mask: object, rest: Mapping[str, Any]) -> None:
        if mask is not None and not is_carrier(mask):
            shape = list(getattr(mask, "shape", ()))
            raise InputError(
                f"{self.name}: a mask {shape} for the scores was given, which the pattern would "
                "replace; pass the attention_mask [batch, n] of padding, or use 'sdpa'"
            )
        for word, value in rest.items():
            if word not in _KNOWN and value is not None and value is not False:
                raise InputError(
                    f"{self.name}: the model passes {word!r}, which a pattern cannot honour; use "
                    "attn_implementation='sdpa' for this model or call"
                )

    def _refuse_weights(self, work: Work) -> None:
        if work.weights:
            raise InputError(
                f"{self.name}: output_attentions=True in a compiled model with padding; call the "
                "model as it is, without torch.compile"
            )

    def _refuse_hidden_packs(self, mask: Tensor | None, positions: Tensor | None) -> None:
        """Positions that start again where Transformers looks for no pack: beside a cache."""
        if mask is not None or positions is None or positions.ndim != 2:
            return
        if not torch.compiler.is_compiling() and bool((positions.diff(dim=1) <= 0).any()):
            raise InputError(
                f"{self.name}: position_ids start again inside a row, but documents of a pack are "
                "kept apart only without a cache; pass use_cache=False"
            )

    def _chosen(self, module: nn.Module, causal: bool) -> Served:
        """The program of a module that attends to its own sequence."""
        config = getattr(module, "config", None)
        own = self.encoder if not causal and self.encoder is not None else self.own
        if not causal and self.encoder is None and getattr(config, "is_encoder_decoder", False):
            raise InputError(
                f"{self.name}: the encoder of an encoder-decoder model needs a program of its own; "
                'register(.., encoder="full")'
            )
        return own

    def _layer(self, module: nn.Module, served: Served) -> int:
        """The layer's number in the program, checked against what the module allows."""
        layers, number = served.layers, getattr(module, "layer_idx", None)
        layer = 0 if layers is None else number
        if not isinstance(layer, int):
            raise InputError(
                f"{self.name}: the program has {layers} layers, but {type(module).__name__} does "
                "not say which layer it is; use a program without the header `layers`"
            )
        if layer >= len(served.every_layer):
            raise InputError(
                f"{self.name}: the model has a layer {layer}; the program says `layers {layers}`"
            )
        self._check_count(module, served)
        self._check_causality(module, served, layer)
        return layer

    def _check_count(self, module: nn.Module, served: Served) -> None:
        """Rules of layers that the model does not have would never act."""
        config = getattr(module, "config", None)
        count = getattr(config, "num_hidden_layers", None)
        if served is not self.own or getattr(config, "is_encoder_decoder", False):
            return
        if served.layers is not None and isinstance(count, int) and served.layers > count:
            raise InputError(
                f"{self.name}: the model has {count} layers; the program says `layers "
                f"{served.layers}`"
            )

    def _check_causality(self, module: nn.Module, served: Served, layer: int) -> None:
        if served is self.cross or served is self.encoder:
            return
        causal = is_causal(module, {})
        if causal and not served.facts(layer).is_causal:
            raise InputError(
                f"{self.name}: {type(module).__name__} is causal, but in layer {layer} of the "
                "program queries see later keys; write the line `causal` above its rules"
            )
        looks_back = served.facts(layer).is_causal and served.facts(layer).farthest_back != 0
        if not causal and looks_back:
            raise InputError(
                f"{self.name}: {type(module).__name__} sees both sides, the program is causal; if "
                "that is meant, register(.., encoder=TEXT) with the same text"
            )

    def _check_modifiers(
        self, facts: LayerFacts, softcap: float | None, scaling: float | None
    ) -> None:
        if softcap is not None and facts.softcaps != (softcap,):
            raise InputError(
                f"{self.name}: the model caps its scores at {softcap:g}; write `with "
                f"softcap({softcap:g})` at every term of the program"
            )
        if facts.has_scale and scaling is not None:
            raise InputError(
                f"{self.name}: the model scales its scores itself, by {scaling:g}; leave `scale` "
                "out of the program"
            )

    def _sinks(self, served: Served, given: Tensor | None) -> Tensor | None:
        if given is not None and not served.takes_sinks:
            raise InputError(
                f"{self.name}: the model has attention sinks; write `with sink` in the program"
            )
        if given is None and served.takes_sinks:
            raise InputError(
                f"{self.name}: the program says `with sink`, but the model has no attention sinks"
            )
        return given


def is_causal(module: nn.Module, rest: Mapping[str, Any]) -> bool:
    """Whether no query of the module sees a later key in the model itself."""
    given = rest.get("is_causal")
    own = bool(getattr(module, "is_causal", False) if given is None else given)
    return own and bool(getattr(getattr(module, "config", None), "is_causal", True))


def is_crossing(module: nn.Module, causal: bool) -> bool:
    """Whether keys come from another sequence: a decoder's module that is not causal."""
    name = type(module).__name__
    if getattr(module, "is_cross_attention", False):
        return True
    return not causal and ("Cross" in name or bool(getattr(module, "is_decoder", False)))


def _as_operator(work: Work, mask: Tensor) -> Tensor:
    from patternc.bridges.transformers.operator import by_sequences

    return by_sequences(work, mask)
