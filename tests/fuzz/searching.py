"""Calls that find their lists: what the module finds is right, and stands in for a search."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import torch

from patternc.ir.searches import Cluster, Lsh, Search, Sinkhorn
from patternc.ir.sources import Encoder
from patternc.ir.terms import IndexList
from patternc.language.elaborate.candidates import searches_of
from tests.fuzz.attention import leaves
from tests.fuzz.calls import with_lists
from tests.fuzz.case import Case
from tests.fuzz.failures import DisagreementError
from tests.fuzz.found import keys_of, wanted


def searched(case: Case, random: Random) -> Case:
    """The case with the lists that its call finds; itself where it finds none, or must not."""
    searches = [each for head in range(case.call.heads) for each in _searches(case, head)]
    kinds = [each.found.search for each in searches if each.found is not None]
    # These look at all rows.
    whole = any(isinstance(kind, Cluster | Lsh | Sinkhorn) for kind in kinds)
    if not searches or case.rows or (whole and case.call.queries != case.sizes.n):
        return case
    if any(map(_apart, kinds)) or not hasattr(case.module, "found_lists"):
        return case
    names = {each.name for each in searches}
    given = {name: part for name, part in case.deciding.items() if name not in names}
    parts = leaves(case.call, torch.float64)
    found = case.module.found_lists(**parts, layer=case.layer, **given)
    lists = {name: part.numpy().astype(np.int64) for name, part in found.items()}
    return replace(case, call=with_lists(case.call, lists), lists=tuple(lists))


def _apart(kind: Search) -> bool:
    """Has it rounds or clusters that are softmaxes of their own, which given lists have not?"""
    return getattr(kind, "counted", False) or getattr(kind, "mean", False)


def _searches(case: Case, head: int) -> list[IndexList]:
    pattern = case.pattern._frontend.resolve(case.layer, head, case.rows)
    return [each for branch in pattern.sets for each in searches_of(branch)]


def finds(case: Case) -> None:
    """The lists are those of numpy."""
    for head in (head for element in case.elements for head in element.heads):
        for place, keys in wanted(head):
            name = place.listed.name
            if name not in case.lists:
                continue  # among pairs that are there anyway
            own = keys_of(head.inputs[name], place.listed.width, keys.shape[-1])
            # The first query has the row 0 on an encoder; lists hold nothing outside 0..n-1.
            on_encoder = isinstance(place.source, Encoder)
            first = 0 if on_encoder else case.sizes.n - case.call.queries
            rows = first + np.arange(case.call.queries)
            inside = (rows >= 0) & (rows < len(own))
            if not np.array_equal(own[rows[inside]], keys[0][inside]):
                raise DisagreementError(f"a search finds other keys: {name}")
