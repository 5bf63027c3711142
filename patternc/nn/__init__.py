"""Torch modules with a pattern: `Attention`, its `Cache` for decoding, and `from_config`.

Importing this package imports torch; importing `patternc` does not import it.
"""

from __future__ import annotations

from patternc.nn.attention import Attention
from patternc.nn.cache import Cache
from patternc.nn.config import from_config

__all__ = ["Attention", "Cache", "from_config"]
