"""The programs of several heads as one: shared, a formula in `head`, or a rule for each group."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from patternc.search.from_mask.solve import Solution
from patternc.search.from_mask.terms import condition, tokens

_NUMBER = re.compile(r"(?<![\w.])\d+")
_CAUSAL = "causal"
Inputs = dict[str, NDArray[np.int64]]


def program(found: Sequence[Sequence[Solution]]) -> tuple[str, Inputs]:
    """One program of the solutions of each head, best first; equal heads have the same list."""
    ways = [[_without_header(each, header) for each in found] for header in (False, True)]
    texts = []
    for header, chosen in zip((False, True), ways, strict=True):
        if all(chosen):
            body, inputs = _joined([each for each in chosen if each is not None])
            lost = sum(each.unexplained for each in chosen if each is not None)
            texts.append((lost, tokens(body) + header, _headed(body, header), inputs))
    _, _, text, inputs = min(texts, key=lambda each: each[:2])
    return text + "\n", inputs


def _headed(body: str, header: bool) -> str:
    return body if not header else _CAUSAL if body == "full" else f"{_CAUSAL}\n{body}"


def _without_header(found: Sequence[Solution], header: bool) -> Solution | None:
    """The best body with the header `causal`, or without."""
    for each in found:
        first, _, rest = each.text.partition("\n")
        if header and rest and first == _CAUSAL:
            return Solution(rest, each.inputs, each.unexplained)
        if header and each.text == _CAUSAL:
            return Solution("full", each.inputs, each.unexplained)
        if not header and not rest:
            return each
    return None


def _joined(chosen: Sequence[Solution]) -> tuple[str, Inputs]:
    texts, inputs = _named(chosen)
    if len(set(texts)) == 1:
        stacked = len({id(each.inputs) for each in chosen}) > 1
        head = f"heads {len(texts)}\n" if stacked and inputs else ""
        return head + texts[0], inputs
    ways = [_rules(texts)]
    if (formula := _formula(texts)) is not None:
        ways.append(formula)
    return f"heads {len(texts)}\n{min(ways, key=tokens)}", inputs


def _named(chosen: Sequence[Solution]) -> tuple[list[str], Inputs]:
    """The texts, whose lists are one table where all are alike, else have names of their own."""
    alike = len({each.text for each in chosen}) == 1
    names = {name for each in chosen for name in each.inputs}
    if not names or (alike and all(_same(name, chosen) for name in names)):
        return [each.text for each in chosen], dict(chosen[0].inputs)
    if alike and names == {"pairs"}:
        return [each.text for each in chosen], {"pairs": _stacked(chosen)}
    texts: list[str] = []
    inputs: Inputs = {}
    for head, each in enumerate(chosen):
        text = each.text
        for name, value in each.inputs.items():
            text = re.sub(rf"\b{name}\b", f"{name}_{head}", text)
            inputs[f"{name}_{head}"] = value
        texts.append(text)
    return texts, inputs


def _same(name: str, chosen: Sequence[Solution]) -> bool:
    first = chosen[0].inputs.get(name)
    return first is not None and all(
        name in each.inputs and np.array_equal(each.inputs[name], first) for each in chosen
    )


def _stacked(chosen: Sequence[Solution]) -> NDArray[np.int64]:
    """Lists [heads, rows, k] of lists [rows, k] that differ in k."""
    tables = [each.inputs["pairs"] for each in chosen]
    width = max(table.shape[1] for table in tables)
    pads = [((0, 0), (0, width - table.shape[1])) for table in tables]
    return np.stack(
        [np.pad(table, pad, constant_values=-1) for table, pad in zip(tables, pads, strict=True)]
    )


def _rules(texts: Sequence[str]) -> str:
    """A rule for each text; the one of most heads is the last."""
    groups: dict[str, list[int]] = {}
    for head, text in enumerate(texts):
        groups.setdefault(text, []).append(head)
    order = sorted(groups, key=lambda text: len(groups[text]))
    lines = [f"{condition('head', groups[text], len(texts))} -> {text}" for text in order[:-1]]
    return "\n".join([*lines, f"else -> {order[-1]}"])


def _formula(texts: Sequence[str]) -> str | None:
    """One text whose numbers are formulas in `head`, where the texts differ in numbers only."""
    if len({_NUMBER.sub("#", text) for text in texts}) > 1:
        return None
    columns = zip(*([int(x) for x in _NUMBER.findall(text)] for text in texts), strict=True)
    written = [_of_head(column) for column in columns]
    if None in written:
        return None
    parts = iter(str(each) for each in written)
    return _NUMBER.sub(lambda found: _placed(next(parts), found), texts[0])


def _placed(formula: str, number: re.Match[str]) -> str:
    """A formula in the place of a number, in brackets unless it stands by itself."""
    before, after = number.string[: number.start()].rstrip(), number.string[number.end() :]
    alone = before[-1:] in "(,=[:" and after.lstrip()[:1] in "),]:"
    return formula if alone or " " not in formula else f"({formula})"


def _of_head(values: Sequence[int]) -> str | None:
    """A number of each head as a constant, or a line in head, head % m or head // m."""
    if len(set(values)) == 1:
        return str(values[0])
    heads = np.arange(len(values))
    ways = [("head", heads)]
    for m in range(2, len(values)):
        ways += [(f"(head % {m})", heads % m), (f"(head // {m})", heads // m)]
    for text, x in ways:
        at = np.flatnonzero(x == 1)
        zero = np.flatnonzero(x == 0)
        if len(at) and len(zero):
            slope, start = values[at[0]] - values[zero[0]], values[zero[0]]
            if np.array_equal(start + slope * x, values):
                return _line(start, slope, text)
    return None


def _line(start: int, slope: int, text: str) -> str:
    times = text if abs(slope) == 1 else f"{abs(slope)} * {text}"
    if start == 0 and slope > 0:
        return times
    return f"{start} {'+' if slope > 0 else '-'} {times}"
