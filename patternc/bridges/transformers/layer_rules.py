"""A rule for every layer as a program: equal layers joined, by the shortest condition found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


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
        lines.append(f"{condition(chosen, len(rules))} -> {rule}")
    return "\n".join([*lines, f"else -> {usual}"]) + "\n"


def condition(chosen: Sequence[int], layers: int) -> str:
    """Which layers, of so many: by a remainder, from or up to one, else one by one."""
    if len(chosen) == 1:
        return f"layer == {chosen[0]}"
    for period in range(2, layers):
        every = [layer for layer in range(layers) if layer % period == chosen[0] % period]
        if list(chosen) == every:
            return f"layer % {period} == {chosen[0] % period}"
    if list(chosen) == list(range(chosen[0], layers)):
        return f"layer >= {chosen[0]}"
    if list(chosen) == list(range(len(chosen))):
        return f"layer < {len(chosen)}"
    return " or ".join(f"layer == {layer}" for layer in chosen)
