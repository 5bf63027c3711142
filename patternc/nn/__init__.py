"""Torch modules: `Attention` with a pattern, its `Cache`, `from_config`, and `DynamicSpan`.

`updated_means` moves the centroids of `cluster`, `Store` keeps what `store` attends to, and
`approximate_lists` are what `nearest` finds there, by an index of faiss.

Importing this package imports torch; importing `patternc` does not import it.
"""

from __future__ import annotations

from patternc.nn.approximate import approximate_lists
from patternc.nn.attention import Attention
from patternc.nn.cache import Cache
from patternc.nn.clusters import updated_means
from patternc.nn.config import from_config
from patternc.nn.spans import DynamicSpan
from patternc.nn.store import Store

__all__ = [
    "Attention",
    "Cache",
    "DynamicSpan",
    "Store",
    "approximate_lists",
    "from_config",
    "updated_means",
]
