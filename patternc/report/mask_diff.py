"""The comparison with a mask as lines of text or a JSON document. Does not compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from patternc.queries.mask_diff import MaskDifference


def text(found: MaskDifference) -> str:
    return "\n".join(_lines(found)) + "\n"


def document(found: MaskDifference) -> dict[str, object]:
    """Plain lists and dictionaries; `format` is "patternc.mask_diff/1"."""
    return {
        "format": "patternc.mask_diff/1",
        "outcome": found.outcome,
        "n": found.n,
        "queries": found.queries,
        "parts": [asdict(part) for part in found.parts],
    }


def _lines(found: MaskDifference) -> Iterator[str]:
    if found.witness is None:
        yield f"equal at n = {found.n}, in all pairs; nothing is said of other lengths"
        return
    yield f"different at n = {found.n}"
    for part in found.parts:
        if part.first is not None:
            query, key = part.first
            yield (
                f"  head {part.head}: {part.only_left:,} pairs on the left only, "
                f"{part.only_right:,} on the right only; the first is query {query}, key {key}"
            )
