"""`features(m, map=..)` to a feature map, for one (layer, head)."""

from __future__ import annotations

from typing import cast

from patternc.ir.feature_maps import FeatureMap, MapKind
from patternc.ir.sources import Rows, Tokens, name_of
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.bounds import saturated
from patternc.language.elaborate.constants import value_error


def feature_map(given: BoundArguments, causal: bool, rows: Rows) -> FeatureMap:
    """The map of a call whose arguments go together; `causal` is the header."""
    if not isinstance(rows, Tokens):
        raise value_error("P115.other_rows", given.call, given.place, rows=name_of(rows))
    if "gate" in given and not causal:
        raise value_error("P115.gate_without_causal", given.value("gate"), given.place)
    kind = cast(MapKind, given.word("map"))
    count = saturated(given.count("m", 0)) if "m" in given else 0
    if kind == "rfa" and count % 2:
        raise value_error("P115.odd", given.value("m"), given.place, count=count)
    seed = given.count("seed", 0)
    if "same" in given and "gate" in given:
        raise value_error("P115.gate_with_same", given.value("gate"), given.place)
    names = (given.word(name) or None for name in ("matrix", "gate", "same"))
    return FeatureMap(kind, count, seed, causal, *names)
