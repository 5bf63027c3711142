"""What the slots of a pool and the spans of a tree are made of: ranges of tokens.

Maps a source and a length to the tokens of each slot. Does not state which queries attend to them.
"""

from __future__ import annotations

import numpy as np

from patternc.analysis.reach.key_ranges import Ranges
from patternc.ir.sources import Pool, Tree
from patternc.semantics.source_slots import windows
from patternc.semantics.tree_spans import covered


def span_ranges(tree: Tree, n: int) -> Ranges:
    """The tokens of each span above the tokens; spans hold nothing at first, as in the paper."""
    ends = covered(n, tree.branching)
    return Ranges(1, np.arange(len(ends)), ends[:, 0], ends[:, 1])


def window_ranges(pool: Pool, n: int) -> Ranges:
    """The tokens that each slot of a pool stands for."""
    slot = np.arange(windows(pool, n))
    start = slot * pool.stride
    stop = np.minimum(start + pool.size, n)
    if pool.tail == "merge" and len(stop):
        stop[-1] = n
    return Ranges(1, slot, start, stop)
