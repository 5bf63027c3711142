"""What the mask function of a model says beside the rule that a pattern replaces.

Transformers makes masks of functions inside functions (`masking_utils`). Those of windows, chunks
and causality are the model's own rule; documents of a pack are read from them; anything else is
refused, since the pattern would drop it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from patternc.semantics.errors import InputError

MaskFunction = Callable[..., Tensor]
_CAUSAL = "causal_mask_function"
_BIDIRECTIONAL = "bidirectional_mask_function"
_OWN = (
    _CAUSAL,
    _BIDIRECTIONAL,
    "sliding_window_overlay.<locals>.inner_mask",
    "sliding_window_bidirectional_overlay.<locals>.inner_mask",
    "chunked_overlay.<locals>.inner_mask",
)
_PACKED = "packed_sequence_mask_function.<locals>.inner_mask"
_MOVED = "remap_positions_for_packed_sequence.<locals>.inner_mask"
_JOINED = "and_masks.<locals>.and_mask"


@dataclass(frozen=True, slots=True)
class ModelRule:
    """Whether keys end with the queries, and the document of each position where there are more."""

    is_causal: bool
    documents: Tensor | None


def model_rule(function: MaskFunction) -> ModelRule:
    """Reads a mask function. Raises `InputError` for one that is more than a rule."""
    parts = dict(_parts(function))
    return ModelRule(_CAUSAL in parts, parts.get(_PACKED))


def _parts(function: MaskFunction) -> Iterator[tuple[str, Any]]:
    """The functions of which it is made, by name, with the documents of packs."""
    name = function.__qualname__
    if name in _OWN:
        yield name, None
    elif name == _JOINED:
        for part in _inside(function, "mask_functions"):
            yield from _parts(part)
    elif name == _MOVED:
        yield from _parts(_inside(function, "mask_function"))
    elif name == _PACKED:
        yield name, _inside(function, "packed_sequence_mask")
    else:
        raise _refusal(name)


def _inside(function: MaskFunction, name: str) -> Any:
    """What a function inside a function has from outside."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    return cells[name].cell_contents


def traced_rule(
    function: MaskFunction,
    by_element: bool,
    size: tuple[int, int],
    is_chunk: bool,
    device: torch.device | str,
) -> ModelRule:
    """The same while torch traces, which cannot look inside: documents are found by asking.

    `size` is the batch and, where a pack is possible, its length, else 0.
    """
    if by_element:
        raise _refusal("a function of the model or of its caller")
    if function.__name__ == _CAUSAL:
        return ModelRule(True, None)
    if function.__name__ == _BIDIRECTIONAL:
        return ModelRule(False, None)
    if function.__name__ != "and_mask":
        raise _refusal("or_masks")
    batch, n = size
    if n == 0:
        return ModelRule(True, None)
    if is_chunk:
        raise InputError(
            "a compiled model with chunked attention cannot say whether its batch is a pack of "
            "documents; pass attention_mask=torch.ones_like(input_ids)"
        )
    # Neighbours see each other in every window of two or more, but for those of two documents.
    rows = torch.arange(batch, device=device)[:, None]
    later = torch.arange(1, n, device=device)[None, :]
    heads = torch.zeros_like(later)
    starts = ~function(rows, heads, later, later - 1).expand(batch, n - 1)
    documents = torch.nn.functional.pad(starts.to(torch.int64).cumsum(1), (1, 0))
    return ModelRule(True, documents)


def _refusal(name: str) -> InputError:
    return InputError(
        f"this model lays a mask of its own over its rule ({name.split('.')[0]}), for images or "
        "prefixes for example, which the pattern would replace; use attn_implementation='sdpa'"
    )
