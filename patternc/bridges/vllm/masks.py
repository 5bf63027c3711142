"""A layer's heads as the two functions that vLLM's FlexAttention backend asks of a layer.

`mask_mod(b, h, q_idx, kv_idx)` on positions of a sequence, at every length, and the hint which
blocks of keys a block of queries may see, in closed form for every block size. Neither holds
tensors, so that both can be part of a CUDA graph. Does not know vLLM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, groupby
from typing import Any, NamedTuple

from patternc.algebra.isl_context import BudgetError, budget
from patternc.algebra.isl_sets import excludes
from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import disjunction
from patternc.analysis.cost.kv_cache import is_causal
from patternc.emit.text.expressions import FLEX, Names, Printer, simplified
from patternc.emit.text.layout import flat
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS, word_of
from patternc.relation.relation import Branch, Relation
from patternc.runtime.load import load_module
from patternc.tiling.classify import candidate_tiles

# Longer than any sequence, and within 32 bits: block rows of closed forms end at n.
_LENGTH = 1 << 30
_PAIR = Printer(FLEX, Names({"i": "q_idx", "j": "kv_idx", "n": "n", "m": "n"}))
_BLOCKS = Printer(FLEX, Names({"i": "q", "j": "kv", "n": str(_LENGTH), "m": str(_LENGTH)}))


class BlockSparsityHint(NamedTuple):
    """vLLM's tuple of that name, of which it reads the field."""

    hint_fn: Callable[[Any, Any, int], Any]


class LayerMask(NamedTuple):
    """`mask_mod` [queries, keys] and the hint: equal layers have the same objects."""

    mask_mod: Callable[[Any, Any, Any, Any], Any]
    hint: BlockSparsityHint


def formulas_of(heads: Sequence[Relation]) -> tuple[Condition, ...]:
    """The pairs of every head. Raises `ValueError` for what a mask on positions cannot hold."""
    reasons = dict.fromkeys(reason for head in heads for reason in _reasons(head))
    if not reasons and not is_causal(heads):
        reasons = {
            "rows see later tokens, which are not in the cache yet when a prompt comes in parts: "
            "write `causal` on a line of its own": None
        }
    if reasons:
        raise ValueError(f"vLLM cannot serve this pattern: {'; '.join(reasons)}")
    return tuple(disjunction(branch.formula for branch in head.branches) for head in heads)


def _reasons(head: Relation) -> Iterator[str]:
    if head.combined is not None:
        yield f"`{head.combined.kind}` joins several softmaxes"
    for branch in head.branches:
        yield from _of_branch(branch)
    if not all(_are_apart(*pair) for pair in combinations(head.branches, 2)):
        yield "`mix` counts a pair more than once"


def _are_apart(one: Branch, other: Branch) -> bool:
    """Is no pair in both?"""
    try:
        with budget():
            return excludes(one.formula, other.formula)
    except BudgetError:
        return False


def _of_branch(branch: Branch) -> Iterator[str]:
    if branch.source != TOKENS:
        yield f"keys of `{word_of(branch.source)}` are not in its cache"
    if branch.modifiers:
        yield f"`{branch.modifiers[0].word}` changes scores, and a layer has a mask only"
    if branch.projection is not None or branch.projected:
        yield "`projection=` has a q, k and v of its own"
    if branch.multiplicity > 1:
        yield "`mix` counts a pair more than once"
    if branch.conjuncts:
        yield "run-time inputs and random keys are tables, which would be those of one sequence"
    if "n" in variables_of(branch.formula):
        yield "the pattern asks for n, which a decoder does not know"


@lru_cache(maxsize=256)
def layer_mask(heads: tuple[Condition, ...]) -> LayerMask:
    """The two functions of the heads with these pairs, in their order."""
    groups = {
        formula: [head for head, own in enumerate(heads) if own == formula] for formula in heads
    }
    cases = [
        _of_heads(numbers, len(heads), flat(_PAIR.condition(simplified(formula))))
        for formula, numbers in groups.items()
    ]
    asked = " | ".join(f"({case})" for case in cases)
    head = "import torch\n\n\ndef mask_mod(b, h, q_idx, kv_idx):\n"
    module = load_module(f"{head}    return (kv_idx >= 0) & ({asked})\n")
    return LayerMask(module.mask_mod, BlockSparsityHint(_hint(tuple(groups))))


def _of_heads(numbers: Sequence[int], heads: int, asked: str) -> str:
    """The condition for some of the heads, as ranges of their numbers."""
    if len(numbers) == heads:
        return asked
    runs = groupby(enumerate(numbers), lambda each: each[1] - each[0])
    ranges = [[head for _, head in run] for _, run in runs]
    chosen = " | ".join(f"((h >= {run[0]}) & (h <= {run[-1]}))" for run in ranges)
    return f"({chosen}) & ({asked})"


def _hint(formulas: tuple[Condition, ...]) -> Callable[[Any, Any, int], Any]:
    """Whether any head has a pair in a block of queries and a block of keys."""

    @lru_cache(maxsize=16)
    def of_size(block: int) -> Callable[[Any, Any], Any]:
        found = (candidate_tiles(formula, block, block) for formula in formulas)
        cases = (flat(_BLOCKS.condition(simplified(case))) for case in dict.fromkeys(found))
        asked = " | ".join(f"({case})" for case in cases)
        text = f"import torch\n\n\ndef hint(q, kv):\n    return (q + kv >= 0) & ({asked})\n"
        held: Callable[[Any, Any], Any] = load_module(text).hint
        return held

    def hint_fn(q_block_idx: Any, kv_block_idx: Any, block_size: int) -> Any:
        return of_size(block_size)(q_block_idx, kv_block_idx)

    return hint_fn
