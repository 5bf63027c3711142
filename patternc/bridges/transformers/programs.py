"""A registered program: its pattern, its variants with more inputs, and the facts of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from patternc.bridges.transformers.facts import LayerFacts, facts_of
from patternc.bridges.transformers.rewriting import with_position_bias, with_real_keys
from patternc.ir.sources import TOKENS, word_of
from patternc.language.check.runtime_inputs import RunTimeInput
from patternc.pattern import Pattern

SERVED: list[Served] = []
"""All of them by number, for an operator whose arguments are tensors and numbers."""


@dataclass(frozen=True, eq=False)
class Served:
    """One program for the attention modules of one kind, with the facts of each of its layers.

    All is computed before a model runs, since `torch.compile` would trace it otherwise.
    """

    pattern: Pattern
    layers: int | None
    every_layer: tuple[LayerFacts, ...]
    takes_sinks: bool
    number: int

    def facts(self, layer: int) -> LayerFacts:
        return self.every_layer[layer]

    def variant(self, hidden: bool, bias: bool) -> Pattern:
        """The pattern, where needed with the inputs `real_keys` and `position_bias`."""
        if not hidden and not bias:
            return self.pattern
        return _variant(self.pattern, hidden, bias)


@cache
def _variant(pattern: Pattern, hidden: bool, bias: bool) -> Pattern:
    text = with_position_bias(pattern.text) if bias else pattern.text
    text = with_real_keys(text) if hidden else text
    return Pattern(text, name=pattern.name, parameters=pattern.parameters)


def served(program: str | Pattern, name: str) -> Served:
    """A program that a model can be served with. Raises `PatternError` and `ValueError`."""
    pattern = program if isinstance(program, Pattern) else Pattern(program, name=name)
    if foreign := [each for each in pattern.sources() if each != TOKENS]:
        words = ", ".join(sorted(set(map(word_of, foreign))))
        raise ValueError(
            f"{name}: terms on {words}; a model of Transformers has only tokens as keys"
        )
    if unknown := [each.name for each in pattern.inputs if not _is_given(each)]:
        raise ValueError(
            f"{name}: no model of Transformers gives the run-time inputs {', '.join(unknown)}; "
            "only `sinks` are given"
        )
    facts = tuple(facts_of(pattern.relations(layer)) for layer in range(pattern.layers or 1))
    sinks = any(each.role == "sink" for each in pattern.inputs)
    found = Served(pattern, pattern.layers, facts, sinks, len(SERVED))
    SERVED.append(found)
    return found


def _is_given(known: RunTimeInput) -> bool:
    return known.role == "sink"
