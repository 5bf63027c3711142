"""Names that a call cannot take for a run-time input, since they mean something else there.

The keywords of everything that takes run-time inputs by name: methods of `Pattern` and functions of
a generated module. A test compares this list with their signatures. Words of the language are in
`builtins`.
"""

from __future__ import annotations

import keyword
import re

from patternc.ir.searches import SORTED_LISTS

CALL_KEYWORDS: frozenset[str] = frozenset(
    {
        *(
            "backend",
            "batch_element",
            "block",
            "block_size",
            "cache_lengths",
            "device",
            "dropout",
            "document_lengths",
            "dtype",
            "exchange_heads",
            "feature_state",
            "head",
            "head_dim",
            "heads",
        ),
        *(
            "ignore",
            "k",
            "key",
            "key_padding",
            "kv_heads",
            "layer",
            "layers",
            "n",
            "placement",
            "positions",
        ),
        *(
            "q",
            "queries",
            "query",
            "ranks",
            "residual",
            "return_lse",
            "rows",
            "scale",
            "seed",
            "self",
        ),
        *("return_weights", "slots", "start", "v", "when", "write_order"),
    }
)
# Keywords that a run-time input may have the name of: calls of such a pattern then mean the input.
SHARED: frozenset[str] = frozenset({"positions"})
# What a compiled module calls the optional slots of its pools.
_POOLED = re.compile(r"pool\d*_kv", re.ASCII)


def why_taken(name: str) -> str:
    """What the name means at a call; empty where a run-time input can have it."""
    if name in CALL_KEYWORDS - SHARED:
        return "an argument of the calls themselves"
    if keyword.iskeyword(name):
        return "a keyword of Python"
    if name == SORTED_LISTS:
        return "lists that a module makes for itself"
    return "the slots of a pool" if _POOLED.fullmatch(name) else ""
