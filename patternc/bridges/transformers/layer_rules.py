"""A rule for every layer as a program: equal layers joined, by the shortest condition found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from patternc.search.from_mask.terms import condition


def program_text(rules: Sequence[str], causal: bool, comments: Iterable[str] = ()) -> str:
    """The program whose layer l has the rule `rules[l]`."""
    lines = [*(f"# {each}" for each in comments), *(["causal"] if causal else [])]
    kinds = Counter(rules)
    if len(kinds) == 1:
        rule = rules[0]
        return "\n".join([*lines, *([] if causal and rule == "full" else [rule])]) + "\n"
    usual = kinds.most_common(1)[0][0]
    lines.append(f"layers {len(rules)}")
    for rule in (each for each in kinds if each != usual):
        chosen = [layer for layer, each in enumerate(rules) if each == rule]
        lines.append(f"{condition('layer', chosen, len(rules))} -> {rule}")
    return "\n".join([*lines, f"else -> {usual}"]) + "\n"
