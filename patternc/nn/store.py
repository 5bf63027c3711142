"""Keys and values of earlier segments, for terms `on store(m)` (Memorizing Transformers, SPALM).

First in, first out, without gradients; sequences of a batch may begin anew by themselves.

    >>> import torch
    >>> from patternc import Pattern
    >>> from patternc.nn import Store
    >>> pattern = Pattern.parse("(nearest(2) & columns(stored)) on store(8)")
    >>> store, (q, k, v) = Store(8), torch.randn(3, 1, 2, 5, 16)
    >>> store.append(k, v)
    >>> pattern.attention(q, k, v, store_kv=store.pair, stored=store.held).shape
    torch.Size([1, 2, 5, 16])
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Store(nn.Module):
    """The newest `length` keys and values, fewer at first; a buffer, saved with the model.

    `pair` are keys and values [batch, kv_heads, m, head_dim], oldest first, `held` booleans
    [batch, m]: which slots are of the sequence that is read now. Until something is appended there
    are none, and `pair` raises `ValueError`. Raises `ValueError` for sizes that do not continue it.
    """

    keys: Tensor
    values: Tensor
    held: Tensor

    def __init__(self, length: int) -> None:
        super().__init__()
        if length < 1:
            raise ValueError(f"a store of {length} slots; expected 1 or more")
        self.length = length
        for name, dtype in (("keys", None), ("values", None), ("held", torch.bool)):
            self.register_buffer(name, torch.empty(0, dtype=dtype))

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        if self.keys.dim() != 4:
            raise ValueError("the store is empty; append the keys and values of a segment first")
        return self.keys, self.values

    @torch.no_grad()
    def append(self, k: Tensor, v: Tensor) -> None:
        """Behind what is there, the keys and values of a segment that was attended to."""
        fits = self.keys.dim() != 4 or (
            k.shape[:2] == self.keys.shape[:2] and k.shape[3] == self.keys.shape[3]
        )
        if k.dim() != 4 or k.shape[:3] != v.shape[:3] or not fits:
            raise ValueError(
                f"keys {list(k.shape)} and values {list(v.shape)} do not continue a store of "
                f"{list(self.keys.shape)}"
            )
        new = torch.ones(k.shape[0], k.shape[2], dtype=torch.bool, device=k.device)
        self.keys, self.values = self._newest(self.keys, k), self._newest(self.values, v)
        joined = new if self.held.dim() != 2 else torch.cat([self.held, new], 1)
        self.held = joined[:, -self.length :].clone()

    def _newest(self, old: Tensor, new: Tensor) -> Tensor:
        joined = new if old.dim() != 4 else torch.cat([old, new], 2)
        return joined[:, :, -self.length :].detach().clone()

    @torch.no_grad()
    def clear(self, which: Tensor | None = None) -> None:
        """Forget all sequences, or those of the booleans `which` [batch]: a document ends."""
        if self.held.dim() == 2:
            chosen = slice(None) if which is None else which
            self.held = self.held.clone()
            self.held[chosen] = False

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """A store has the sizes of what is loaded."""
        for name in ("keys", "values", "held"):
            if (saved := state_dict.get(prefix + name)) is not None:
                own = getattr(self, name)
                setattr(self, name, torch.empty_like(saved, device=own.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)
