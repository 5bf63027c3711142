"""Keys and values of earlier calls, for decoding.

Maps the keys and values of a step to those of all steps so far, layer by layer. Does not know which
of them a pattern still needs: all are kept.
"""

from __future__ import annotations

from collections.abc import Hashable

import torch
from torch import Tensor

_LEAST = 64


class Cache:
    """Keys and values [batch, kv_heads, n, head_dim] of each layer, in the order of the calls.

    Room doubles as it fills up, so that a step copies nothing of earlier ones. Steps that need
    gradients are concatenated instead.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Tensor, Tensor]] = {}
        self._lengths: dict[Hashable, int] = {}
        self._padded = False

    @property
    def length(self) -> int:
        """Positions that every layer so far has."""
        return min(self._lengths.values(), default=0)

    def check(self, batch: int, *, padded: bool) -> None:
        """Raises `ValueError` for a step that does not continue the sequences of the earlier ones.

        A step without a mask of padding, after one with it, would take padding for keys.
        """
        for k, _ in self._held.values():
            if k.shape[0] != batch:
                raise ValueError(
                    f"the cache holds {k.shape[0]} sequences, but the batch has {batch}; take a "
                    "new Cache() for other sequences"
                )
        if self._padded and not padded:
            raise ValueError(
                "earlier calls with this cache had a key_padding_mask; give it at every call, "
                "[batch, n so far], False for the new keys"
            )
        self._padded = padded

    def update(self, layer: Hashable, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, with those of this step behind the others."""
        before = self._lengths.get(layer, 0)
        self._lengths[layer] = stop = before + k.shape[2]
        if k.requires_grad or v.requires_grad:
            self._held[layer] = self._concatenated(layer, before, k, v)
        else:
            self._held[layer] = self._written(layer, before, k, v)
        held_k, held_v = self._held[layer]
        return held_k[:, :, :stop], held_v[:, :, :stop]

    def _concatenated(
        self, layer: Hashable, before: int, k: Tensor, v: Tensor
    ) -> tuple[Tensor, Tensor]:
        if layer not in self._held:
            return k, v
        old_k, old_v = self._held[layer]
        return torch.cat([old_k[:, :, :before], k], 2), torch.cat([old_v[:, :, :before], v], 2)

    def _written(self, layer: Hashable, before: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        stop = before + k.shape[2]
        held = self._held.get(layer)
        if held is None or held[0].shape[2] < stop:
            held = (
                _room(held[0] if held else None, k, stop),
                _room(held[1] if held else None, v, stop),
            )
        for part, new in zip(held, (k, v), strict=True):
            part[:, :, before:stop] = new
        return held

    def crop(self, length: int) -> None:
        """Forget what is behind the first `length` positions, as rejected drafts."""
        self._lengths = {layer: min(length, own) for layer, own in self._lengths.items()}

    def reorder(self, beams: Tensor) -> None:
        """Take other batch elements, integers [batch]: after a step of beam search."""
        self._held = {
            layer: (k.index_select(0, beams), v.index_select(0, beams))
            for layer, (k, v) in self._held.items()
        }


def _room(old: Tensor | None, new: Tensor, stop: int) -> Tensor:
    """Memory for `stop` positions or more, which begins with what was there."""
    size = max(_LEAST, stop if old is None else max(stop, 2 * old.shape[2]))
    room = new.new_empty(*new.shape[:2], size, new.shape[3])
    if old is not None:
        room[:, :, : old.shape[2]] = old.detach()
    return room
