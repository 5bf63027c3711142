"""A model against a program: the first pair that acts in one of them alone.

The model runs whole, padded on either side, and step by step with its cache; `observe` finds the
pairs that act in each layer and head. Finds windows that are off by one, padding that is dropped,
windows that one attention implementation ignores, and queries that see later keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from patternc.bridges.transformers.observe import Pairs, acting_pairs
from patternc.bridges.transformers.observe_tokens import GLOBAL, MODULES, acting_tokens
from patternc.language.syntax.unparse import show_node
from patternc.pattern import Pattern
from patternc.report.key_runs import in_words, key_runs

Booleans = NDArray[np.bool_]
Inputs = dict[str, NDArray[np.int64]]
_PADDED = 5


@dataclass(frozen=True, slots=True)
class WrongPair:
    """A pair of positions in `situation` that acts in the model or in the program alone.

    `rule` is the program's of that layer and head; the keys are those of the query in both.
    """

    situation: str
    layer: int
    head: int
    query: int
    key: int
    acts_in_model: bool
    rule: str
    keys_in_model: str
    keys_in_program: str

    def __str__(self) -> str:
        only = "model" if self.acts_in_model else "program"
        return (
            f"layer {self.layer}, head {self.head}, {self.situation}: query {self.query} attends "
            f"to key {self.key} in the {only} alone\n"
            f"  model    query {self.query} sees {self.keys_in_model}\n"
            f"  program  query {self.query} sees {self.keys_in_program}, by `{self.rule}`"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared, as numbers of situations and layers, and the first wrong pair."""

    situations: tuple[str, ...]
    layers: int
    wrong: WrongPair | None


@dataclass(frozen=True, slots=True)
class _Situation:
    """A call's name and pairs, and where the tokens of each row of its batch are."""

    name: str
    pairs: Pairs
    spans: tuple[tuple[int, int], ...]


def audit(model: nn.Module, program: Pattern | str, n: int = 24) -> Audit:
    """Compares a text model, as it is configured, with a program at n tokens.

    The pairs are those of modules in which tokens attend to their own sequence. Run-time inputs are
    not given, but the first token as `global_tokens` of Longformer and LED. Of LED, Longformer,
    LongT5 and Reformer, whose attention is code of their own, heads are seen together. Raises
    `ValueError` where no attention of the model can be observed.
    """
    if _has_two_parts(model):
        raise ValueError(
            f"{type(model).__name__} is an encoder and a decoder; audit(model.get_encoder(), ..)"
        )
    pattern = program if isinstance(program, Pattern) else Pattern.parse(program)
    given = _inputs(model, pattern)
    done, layers = [], 0
    for situation in _situations(model, n):
        if not situation.pairs:
            raise ValueError(
                f"{type(model).__name__}: no layer calls an attention function of Transformers"
            )
        done.append(situation.name)
        layers = max(layers, len(situation.pairs))
        for layer in sorted(situation.pairs):
            if (wrong := _compared(situation, layer, pattern, given)) is not None:
                return Audit(tuple(done), layers, wrong)
    return Audit(tuple(done), layers, None)


def _has_two_parts(model: nn.Module) -> bool:
    both = getattr(model.config, "is_encoder_decoder", False)
    encoder = model.get_encoder() if both else None  # type: ignore[operator]
    return encoder is not None and encoder is not model


def _situations(model: nn.Module, n: int) -> Iterator[_Situation]:
    vocabulary = int(model.config.get_text_config().vocab_size)  # type: ignore[union-attr, operator]
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, vocabulary, (2, n), generator=generator)
    whole = ((0, n), (0, n))
    alone = _family(model) in MODULES
    observed = acting_tokens if alone else acting_pairs
    yield _Situation(f"{n} tokens", observed(model, {"input_ids": ids}), whole)
    half = n // 2 + 1
    found = observed(model, {"input_ids": ids[:, :half]})
    yield _Situation(f"{half} tokens", found, ((0, half), (0, half)))
    for side, start, stop in (("left", _PADDED, n), ("right", 0, n - _PADDED)):
        mask = torch.zeros_like(ids)
        mask[0], mask[1, start:stop] = 1, 1
        found = observed(model, {"input_ids": ids, "attention_mask": mask})
        name = f"{n} tokens, the second row padded on the {side}"
        yield _Situation(name, found, ((0, n), (start, stop)))
    if alone:
        return
    with torch.no_grad():
        first = model(input_ids=ids[:, :-1])
    if (cache := getattr(first, "past_key_values", None)) is not None:
        found = acting_pairs(model, {"input_ids": ids[:, -1:], "past_key_values": cache})
        yield _Situation(f"a step with a cache after {n - 1} tokens", found, whole)


def _inputs(model: nn.Module, pattern: Pattern) -> Inputs:
    """The global token of `acting_tokens`, where the program has a set of them."""
    known = any(each.name == "global_tokens" for each in pattern.inputs)
    return {"global_tokens": np.array([0])} if known and _family(model) in GLOBAL else {}


def _family(model: Any) -> str:
    return str(model.config.model_type)


def _compared(
    situation: _Situation, layer: int, pattern: Pattern, given: Inputs
) -> WrongPair | None:
    n = max(stop for _, stop in situation.spans)
    for call in situation.pairs[layer]:
        queries, keys = call.shape[2:]
        for row, (start, stop) in enumerate(situation.spans):
            first = max(n - queries, start)
            wanted = _mask(pattern, layer, start, stop, n, given)[:, first:stop, n - keys :]
            if call.shape[1] == 1:
                wanted = np.logical_or.reduce(wanted, axis=0, keepdims=True)
            acting = call[row, :, first - n + queries : stop - n + queries].cpu().numpy()
            different = np.argwhere(acting != wanted)
            if len(different):
                head, query, key = (int(each) for each in different[0])
                place = layer, head, first + query, n - keys + key
                seen = acting[head, query], wanted[min(head, len(wanted) - 1), query]
                return _wrong(situation.name, pattern, place, n - keys, *seen)
    return None


def _mask(pattern: Pattern, layer: int, start: int, stop: int, n: int, given: Inputs) -> Booleans:
    """The pairs [heads, n, n] of a sequence at start:stop of a row."""
    at: dict[str, Any] = {"layer": layer if pattern.layers else 0, **given}
    own = pattern.mask(stop - start, **at)
    found = np.zeros((len(own), n, n), dtype=np.bool_)
    found[:, start:stop, start:stop] = own
    return found


def _wrong(
    situation: str,
    pattern: Pattern,
    place: tuple[int, int, int, int],
    first_key: int,
    acting: Booleans,
    wanted: Booleans,
) -> WrongPair:
    """The pair at (layer, head, query, key), from what the query sees in model and program."""
    layer, head, query, key = place
    program = pattern.elaborated_program
    at = layer if pattern.layers else 0, min(head, (pattern.heads or 1) - 1)
    rule = ("causal, " if program.causal else "") + show_node(program.written(*at)[0])
    own, other = (_ranges(each, first_key) for each in (acting, wanted))
    acts = bool(acting[key - first_key])
    return WrongPair(situation, layer, head, query, key, acts, rule, own, other)


def _ranges(keys: Booleans, first: int) -> str:
    """Keys as ranges, ends included; the first of them is at position `first`."""
    at = np.flatnonzero(keys) + first
    if not len(at):
        return "no key"
    return ", ".join(map(in_words, key_runs(at.tolist())))
