"""Torch modules: `Attention` with a pattern, its `Cache`, `from_config`, and `DynamicSpan`.

Importing this package imports torch; importing `patternc` does not import it.
"""

from __future__ import annotations

from patternc.nn.attention import Attention
from patternc.nn.cache import Cache
from patternc.nn.config import from_config
from patternc.nn.spans import DynamicSpan

__all__ = ["Attention", "Cache", "DynamicSpan", "from_config"]
