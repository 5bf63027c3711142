"""`patternc diff` as lines of text or a JSON document.

Layers, heads and positions count from 0. Does not compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from patternc.analysis.equivalence.results import Difference, HeadDifference, Side, Witness
from patternc.analysis.reach import LayerReach
from patternc.ir.sources import TOKENS, word_of
from patternc.language.syntax.characters import visible

Row = tuple[str, str, str]


def text(found: Difference) -> str:
    return "\n".join(_lines(found)) + "\n"


def document(found: Difference) -> dict[str, object]:
    """Plain lists and dictionaries; `format` is "patternc.diff/1"."""
    return {
        "format": "patternc.diff/1",
        "outcome": found.outcome,
        "n": found.n,
        "witness": _first(found),
        "when": found.lengths.text,
        "searched_below": found.searched_below,
        "left": _side(found.left),
        "right": _side(found.right),
        "parts": [{**asdict(part), "witness": _plain(part.witness)} for part in found.parts],
    }


def _plain(witness: Witness | None) -> dict[str, object] | None:
    return None if witness is None else {**asdict(witness), "source": word_of(witness.source)}


def _first(found: Difference) -> dict[str, object] | None:
    """The witness, and whether no smaller n has one."""
    plain = _plain(found.witness)
    return None if plain is None else {**plain, "smallest": found.is_smallest}


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.name,
        "heads": side.heads,
        "layers": side.layers,
        "pairs": None if side.pairs is None else [list(heads) for heads in side.pairs],
        "full_at": side.reach.full_at,
        "reach": [asdict(layer) for layer in side.reach.layers],
    }


def _lines(found: Difference) -> Iterator[str]:
    yield _verdict(found)
    witness = found.witness
    if witness is not None:
        key = "key" if witness.source == TOKENS else f"slot of `{word_of(witness.source)}`"
        yield (
            f"  at n = {witness.n}, layer {witness.layer}, head {witness.head}: query "
            f"{witness.query}, {key} {witness.key} counts {_times(witness.left)} on the left, "
            f"{_times(witness.right)} on the right"
        )
    if found.outcome != "equal" and not (witness is not None and found.is_smallest):
        yield from _bound(found)
    if found.headers_differ:
        yield "  the headers declare different numbers of heads or layers"
    if not all(part.scored_alike for part in found.parts):
        yield "  modifiers, projections or softmaxes differ"
    if found.outcome != "equal":
        yield from _by_layer(found)
    yield ""
    yield from _table(found)


def _bound(found: Difference) -> Iterator[str]:
    """How far was looked where a witness may not be the smallest."""
    below = found.searched_below
    if below:
        what = "no smaller one found" if found.witness else "none found"
        yield f"  checked every n below {below:,} in all layers and heads; {what}"


def _verdict(found: Difference) -> str:
    match found.outcome:
        case "equal":
            every = f"for every n{found.lengths.note}"
            return f"equal: all multiplicities agree, in all layers and heads, {every}"
        case "different":
            return "different"
        case "undecided":
            return "undecided: found neither a difference nor a proof"


def _times(count: int) -> str:
    return {0: "not at all", 1: "once"}.get(count, f"{count} times")


def _by_layer(found: Difference) -> Iterator[str]:
    """Pairs that only one holds, layer by layer, equal lines once."""
    lines: dict[str, list[int]] = {}
    for layer in dict.fromkeys(part.layer for part in found.parts):
        parts = [part for part in found.parts if part.layer == layer]
        lines.setdefault(_alone(parts, found.n), []).append(layer)
    for line, layers in lines.items():
        yield f"  {_numbered(layers)}: {line}"


def _numbered(layers: list[int]) -> str:
    """Layers as a range, or as the first two and the last."""
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if layers == list(range(layers[0], layers[-1] + 1)):
        return f"layers {layers[0]}-{layers[-1]}"
    shown = layers if len(layers) <= 4 else [*layers[:2], "..", layers[-1]]
    return f"layers {', '.join(map(str, shown))}"


def _alone(parts: list[HeadDifference], n: int) -> str:
    differing = [part for part in parts if part.outcome != "equal" or not part.scored_alike]
    if not differing:
        return "equal"
    heads = f"{len(differing)} of {len(parts)} heads differ"
    left = [part.only_left for part in parts if part.only_left is not None]
    right = [part.only_right for part in parts if part.only_right is not None]
    if len(left) < len(parts) or len(right) < len(parts):
        return heads
    return f"{heads}; at n = {n:,} {sum(left):,} pairs only left, {sum(right):,} only right"


def _table(found: Difference) -> Iterator[str]:
    """Cost and reach side by side, in columns."""
    rows: list[Row] = [
        (f"n = {found.n:,}", "left", "right"),
        _row(found, "program", lambda side: visible(side.name)),
        _row(found, "mean pairs per head", _pairs),
        _row(found, "full after layers", _full),
    ]
    last = len(found.left.reach.layers)
    rows += [
        _row(found, f"fields after {last}, minimum", lambda side: f"{_last(side).size_min:,}"),
        _row(found, "  median", lambda side: f"{_last(side).size_median:,}"),
        _row(found, "  maximum", lambda side: f"{_last(side).size_max:,}"),
        _row(found, "  left, right", _span),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(found: Difference, name: str, told: Callable[[Side], str]) -> Row:
    return name, told(found.left), told(found.right)


def _pairs(side: Side) -> str:
    if side.pairs is None:
        return "at call time"
    every = [count for heads in side.pairs for count in heads]
    mean = sum(every) / len(every)
    return f"{round(mean):,}" if mean == round(mean) else f"{mean:,.1f}"


def _full(side: Side) -> str:
    if side.reach.full_at is None:
        return "not within these layers" if side.reach.full_exact else "not known"
    return f"{side.reach.full_at}{'' if side.reach.full_exact else ' at most'}"


def _last(side: Side) -> LayerReach:
    return side.reach.layers[-1]


def _span(side: Side) -> str:
    layer = _last(side)
    return f"{layer.left_max:,}, {layer.right_max:,}"
