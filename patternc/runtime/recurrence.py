"""What a caller carries from segment to segment for the key sources `memory` and `compressed`.

Maps the states of a segment (hidden states, or projected keys and values) to those that the next
segment attends to besides its own: `Memory` for Transformer-XL (Dai et al. 2019, section 3.2),
`CompressiveMemory` for the Compressive Transformer (Rae et al. 2020, section 3.1). The time axis is
-2: [batch, n, dim] and [batch, heads, n, head_dim] alike. What is carried is detached, oldest
first, and starts empty: there are no slots of zeros for early rows to attend to.

A layer has a state of its own. Keys and values are two states, of what `attention` was given: a
pattern with `rotary` or `absolute` works positions in itself, so keys are carried without them.

    >>> import torch
    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("causal\\nfull + full on memory(8)")
    >>> query, key, value = torch.randn(3, 1, 2, 20, 16)
    >>> keys, values = Memory.empty(8, key), Memory.empty(8, value)
    >>> for part in (slice(0, 6), slice(6, 13), slice(13, 20)):
    ...     q, k, v = query[:, :, part], key[:, :, part], value[:, :, part]
    ...     out = pattern.attention(q, k, v, memory_kv=(keys.states, values.states))
    ...     keys, values = keys.after(k), values.after(v)
    >>> torch.equal(keys.states, key[:, :, 12:])
    True

Does not propagate gradients through earlier segments, and does not compress by most-used states,
which needs attention weights that the generated kernels do not keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

CompressedBy = Literal["mean", "max", "convolution"]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The last `length` states before a segment, fewer at first; first in, first out.

    `states` [.., m, dim] with m <= length, oldest first: [batch, m, dim] or
    [batch, heads, m, head_dim]. A memory doesn't change; `after` makes the next one.
    """

    length: int
    states: Tensor

    def __post_init__(self) -> None:
        _check_at_least(0, self.length, "a memory's length")
        _check_axes(self.states)
        if self.states.shape[-2] > self.length:
            held = self.states.shape[-2]
            raise ValueError(f"{held} states are too many for a memory of {self.length}")

    @classmethod
    def empty(cls, length: int, like: Tensor) -> Memory:
        """A memory without states, for states as in `like` [.., any n, dim]."""
        _check_axes(like)
        return cls(length, like.new_empty((*like.shape[:-2], 0, like.shape[-1])))

    def after(self, segment: Tensor) -> Memory:
        """The memory for the next segment, once `segment` [.., n, dim] is computed.

        Raises `ValueError` for another batch, number of heads, dim, dtype or device.
        """
        out = _overflow(self, segment)
        held = self.states.shape[-2]
        # Two slices and one copy: nothing of a long segment is kept alive by a view of it.
        kept = (self.states[..., out:, :], segment[..., max(0, out - held) :, :])
        return Memory(self.length, torch.cat(kept, dim=-2).detach())

    def leaving(self, segment: Tensor) -> Tensor:
        """The oldest states, [.., m + n - length, dim] or none: those `after` drops; detached."""
        out = _overflow(self, segment)
        held = self.states.shape[-2]
        dropped = (self.states[..., :out, :], segment[..., : max(0, out - held), :])
        return torch.cat(dropped, dim=-2).detach()


class Compression(nn.Module):
    """`rate` states into one: their mean, their maximum, or a learned convolution.

    The convolution is an `nn.Conv1d` over dim with kernel and stride `rate`, shared by heads; its
    weights are learned by a loss of their own (attention reconstruction in the paper) from
    `compression(memory.leaving(segment))`, as gradients of the model don't reach what is carried.

        >>> Compression(2)(torch.tensor([[[5.0], [1.0], [3.0]]])).tolist()
        [[[2.0]]]
        >>> Compression(2, by="max")(torch.tensor([[[1.0], [3.0], [4.0], [2.0]]])).tolist()
        [[[3.0], [4.0]]]
    """

    def __init__(self, rate: int, by: CompressedBy = "mean", dim: int | None = None) -> None:
        """`dim` is that of the states, for `by="convolution"`."""
        super().__init__()
        _check_at_least(1, rate, "a rate")
        if by not in ("mean", "max", "convolution"):
            raise ValueError(f'by={by!r}; expected "mean", "max" or "convolution"')
        if (dim is not None) != (by == "convolution"):
            raise ValueError('dim is expected for by="convolution" only')
        self.rate = rate
        self.by = by
        self.convolution = None if dim is None else nn.Conv1d(dim, dim, rate, stride=rate)

    def forward(self, states: Tensor) -> Tensor:
        """`states` [.., n, dim], n >= 0, to [.., n // rate, dim].

        What doesn't fill a slot is the oldest, n mod rate states, and is dropped: so the newest
        slot always ends where the memory begins.
        """
        _check_axes(states)
        slots, rest = divmod(states.shape[-2], self.rate)
        whole = states[..., rest:, :]
        if self.convolution is not None:
            return _convolved(self.convolution, whole, slots)
        windows = whole.reshape(*whole.shape[:-2], slots, self.rate, whole.shape[-1])
        return windows.mean(-2) if self.by == "mean" else windows.amax(-2)

    def extra_repr(self) -> str:
        return f"{self.rate}, by={self.by!r}"


@dataclass(frozen=True, slots=True, eq=False)
class CompressiveMemory:
    """A memory of n_m states, and one of n_cm slots for those that left it.

    The n_s oldest states, which a segment pushes out of `memory`, become floor(n_s / rate) slots of
    `compressed`; slots pushed out of that are forgotten. `memory.states` [.., m, dim] goes to
    `memory_kv`, `compressed.states` [.., slots, dim] to `compressed_kv`. A segment that pushes out
    fewer states than `rate` leaves no slot, so segments of a multiple of `rate` lose nothing.

    The paper compresses hidden states, and projects them afterwards; keys and values in their place
    give the same for the mean only.

        >>> state = CompressiveMemory.empty(4, 3, Compression(2), torch.empty(1, 0, 1))
        >>> for first in range(0, 12, 4):
        ...     state = state.after(torch.arange(first, first + 4.0).reshape(1, 4, 1))
        >>> state.memory.states.flatten().tolist()
        [8.0, 9.0, 10.0, 11.0]
        >>> state.compressed.states.flatten().tolist()
        [2.5, 4.5, 6.5]
    """

    memory: Memory
    compressed: Memory
    compression: Compression

    @classmethod
    def empty(
        cls, length: int, slots: int, compression: Compression, like: Tensor
    ) -> CompressiveMemory:
        """n_m = `length` and n_cm = `slots`, both without states, for states as in `like`."""
        return cls(Memory.empty(length, like), Memory.empty(slots, like), compression)

    def after(self, segment: Tensor) -> CompressiveMemory:
        """The state for the next segment, once `segment` [.., n, dim] is computed.

        Raises `ValueError` as `Memory.after` does.
        """
        slots: Tensor = self.compression(self.memory.leaving(segment))
        return CompressiveMemory(
            self.memory.after(segment), self.compressed.after(slots), self.compression
        )


def _overflow(memory: Memory, segment: Tensor) -> int:
    """How many states leave `memory` when `segment` comes in, which is checked to fit."""
    _check_fits(memory.states, segment)
    return max(0, memory.states.shape[-2] + segment.shape[-2] - memory.length)


def _convolved(convolution: nn.Conv1d, states: Tensor, slots: int) -> Tensor:
    dim = convolution.in_channels
    if states.shape[-1] != dim:
        raise ValueError(f"states {list(states.shape)}; the convolution is for [.., n, {dim}]")
    # Conv1d refuses an input shorter than its kernel.
    if not slots:
        return states
    mixed: Tensor = convolution(states.flatten(0, -3).mT)
    return mixed.mT.reshape(*states.shape[:-2], slots, dim)


def _check_fits(states: Tensor, segment: Tensor) -> None:
    _check_axes(segment)
    if _kind(segment) != _kind(states):
        raise ValueError(f"a segment of {_shown(segment)}; the memory holds {_shown(states)}")


def _check_axes(states: Tensor) -> None:
    if states.ndim < 3:
        raise ValueError(
            f"states {list(states.shape)}; expected [batch, n, dim] or [batch, heads, n, head_dim]"
        )


def _check_at_least(least: int, number: int, what: str) -> None:
    if number < least:
        raise ValueError(f"{what} is {number}; expected at least {least}")


def _kind(states: Tensor) -> tuple[object, ...]:
    """All that segments of one sequence have in common."""
    return states.shape[:-2], states.shape[-1], states.dtype, states.device


def _shown(states: Tensor) -> str:
    axes = ", ".join(map(str, (*states.shape[:-2], "n", states.shape[-1])))
    return f"[{axes}] {states.dtype} on {states.device}"
