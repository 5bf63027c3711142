"""Calls of a generated module in which sequences are padded, cached, or asked out of order.

    q, k, v, positions, cache_lengths, key_padding -> one call for neighbours that are placed alike

What `Pattern.attention` does with these arguments, for any generated module: every batch element is
computed on its real keys alone, so that its output is that of the sequence without padding. Values
are looked at (on a GPU this waits once), and nothing of size n x n is made. Shapes of the calls
follow from the values: tracing takes all of it as one operator (`padded_operator`), and a CUDA
graph cannot hold it.

    >>> import torch
    >>> from patternc import Pattern
    >>> kernel = Pattern.parse("local(2) + columns([-1])").module
    >>> q, k, v = torch.randn(3, 2, 1, 8, 16)
    >>> padding = torch.arange(8) < torch.tensor([[8], [5]])
    >>> out = attention(kernel, q, k, v, key_padding=padding)
    >>> alone = kernel.attention(q[1:, :, :5], k[1:, :, :5], v[1:, :, :5])
    >>> torch.equal(out[1:, :, :5], alone), out[1, :, 5:].any().item()
    (True, False)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from patternc.queries.placement import Group, Placement, Run, grouped, placements
from patternc.runtime import generated
from patternc.runtime.padded_encoder import groups_of
from patternc.runtime.padded_inputs import Part, cut_input

if TYPE_CHECKING:
    from patternc.runtime.generated import Tokens

_STEP = 0xC2B2AE35  # of the seeds of groups: none of layers, heads, rows and softmaxes


def attention(
    module: ModuleType,
    q: Tensor,
    k: Tensor | None,
    v: Tensor | None,
    *,
    positions: Tensor | Sequence[int] | None = None,
    cache_lengths: Tensor | Sequence[int] | None = None,
    key_padding: Tensor | None = None,
    layer: int = 0,
    return_lse: bool = False,
    dropout: float = 0.0,
    seed: int | Tensor | None = None,
    **rest: Any,
) -> Any:
    """`attention` of a generated module with `positions`, `cache_lengths` and `key_padding`.

    Arguments and errors as of `Pattern.attention`; `rest` are other arguments of the module's
    `attention`, run-time inputs among them, in the layout of the padded call.
    """
    _refuse_unseen((positions, cache_lengths, key_padding), q)
    (q, k, v), rest = cast((q, k, v), rest, module)
    if dropout and seed is None:
        seed = int(torch.randint(1 << 32, (), device="cpu"))
    if k is None or v is None:
        _refuse_tokens(positions, cache_lengths, rest)
        call = _Call(module, layer, dropout, seed, rest)
        found = call.over_encoder(q, _on_host(key_padding), return_lse)
        return found if return_lse else found[0]
    if positions is not None and "positions" in module.INPUTS:
        rest["positions"], positions = positions, None
    where = placements(
        q.shape[0], q.shape[2], k.shape[2], *map(_on_host, (positions, cache_lengths, key_padding))
    )
    if not (q.shape[0] and q.shape[2]):
        options = {"layer": layer, "return_lse": return_lse, **rest}
        return module.attention(q, k, v, **_dropping(dropout, seed), **options)
    groups, rest = grouped(where), {x: generated.by_head(module, x, y, q) for x, y in rest.items()}
    one: tuple[Tensor, Tensor | None] | None = None
    if len(groups) > 1 and not dropout and _is_plain(module, q, where, rest):
        one = _in_one_call(module, q, k, v, layer, rest.get("scale"), where)
    found = one or _Call(module, layer, dropout, seed, rest).all_of(groups, q, k, v, return_lse)
    return found if return_lse else found[0]


def _is_plain(module: ModuleType, q: Tensor, where: list[Placement], rest: dict[str, Any]) -> bool:
    """Can the CPU's operator do all of it in one call?"""
    on_cpu = q.device.type == "cpu" and rest.get("backend", "auto") in ("auto", "cpu")
    if not on_cpu or "cpu" not in module.BACKENDS or not rest.keys() <= {"backend", "scale"}:
        return False
    ranges = all(isinstance(placement.slots, range) for placement in where)
    return ranges and generated.is_plain(module) and not torch.is_autocast_enabled("cpu")


def _in_one_call(
    module: ModuleType,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    layer: int,
    scale: float | None,
    where: list[Placement],
) -> tuple[Tensor, Tensor]:
    """Output and lse by one operator, which takes every run of queries with its keys."""
    placed: list[int] = []
    for element, placement in enumerate(where):
        slots = placement.slots
        assert isinstance(slots, range)
        for run in placement.runs:
            start = -1 if run.start is None else run.start
            placed += element, run.first, run.stop, slots.start, slots.stop, start
    return generated.attend_runs(module, (q, k, v), layer, scale, placed)


def cast(
    tokens: Tokens, given: dict[str, Any], module: ModuleType
) -> tuple[Tokens, dict[str, Any]]:
    """What is computed on inside of autocast, rows of padding too."""
    kind = tokens[0].device.type
    if not torch.is_autocast_enabled(kind):
        return tokens, given
    return generated.autocast(module, tokens, given, kind)


def _refuse_tokens(positions: object, cache_lengths: object, rest: dict[str, Any]) -> None:
    """Without tokens there is the padding of an encoder alone."""
    if positions is not None or cache_lengths is not None or "encoder_kv" not in rest:
        raise ValueError(
            "positions=, cache_lengths= and key_padding= are about the tokens, and k and v are "
            "None; key_padding= beside encoder_kv= is about the encoder"
        )


def seed_of_group(seed: int | Tensor, number: int) -> int | Tensor:
    """The seed of the calls of one group: those of others drop other weights."""
    return (seed + number * _STEP) % (1 << 32)


def _on_host(value: object) -> object:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _is_mapped(value: object) -> bool:
    return isinstance(value, Tensor) and torch._C._functorch.is_batchedtensor(value)


def _refuse_unseen(values: tuple[object, ...], q: Tensor) -> None:
    """Where values cannot be looked at."""
    if q.device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            "positions=, cache_lengths= and key_padding= decide shapes by their values, which the "
            "capture of a CUDA graph cannot look at; call attention outside of it, use start=, or "
            "Pattern.paged_attention, whose launches follow from shapes alone"
        )
    if any(map(_is_mapped, values)):
        raise RuntimeError(
            "positions=, cache_lengths= and key_padding= decide shapes by their values, which "
            "differ along a dimension that torch.func.vmap maps over; give them as a batch"
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """What all calls of the groups have in common."""

    module: ModuleType
    layer: int
    dropout: float
    seed: int | Tensor | None
    rest: dict[str, Any]

    def all_of(
        self, groups: list[Group], q: Tensor, k: Tensor, v: Tensor, with_lse: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Output and lse of the batch."""
        # One split for all: the gradients of many slices would each be as large as the whole.
        sizes = [group.stop - group.first for group in groups]
        split = (torch.split(part, sizes) for part in (q, k, v))
        parts = zip(groups, *split, strict=True)
        found = [self._of_group(group, *own, with_lse=with_lse) for group, *own in parts]
        outs, sums = zip(*found, strict=True)
        out = _joined(outs, 0)
        if not any(group.placement.runs for group in groups):
            out = out + q[:, :, :0].sum()  # all is padding: nothing else leads to q
        return out, _joined(sums, 0) if with_lse else None

    def over_encoder(self, q: Tensor, real: object, with_lse: bool) -> Any:
        """Output and lse where the keys are those of an encoder."""
        outs, sums = [], []
        for group, given in groups_of(self.module, q.shape[0], real, self.rest):
            rows = q[group.first : group.stop]
            options = {"layer": self.layer, "return_lse": with_lse, **self._dropping(group)}
            found = self.module.attention(rows, None, None, **options, **given)
            out, lse = found if with_lse else (found, None)
            outs.append(out)
            sums.append(lse)
        return _joined(outs, 0), _joined(sums, 0) if with_lse else None

    def _dropping(self, group: Group) -> dict[str, Any]:
        seed = self.seed if self.seed is None else seed_of_group(self.seed, group.first)
        return _dropping(self.dropout, seed)

    def _of_group(
        self, group: Group, q: Tensor, k: Tensor, v: Tensor, *, with_lse: bool
    ) -> tuple[Tensor, Tensor | None]:
        placement, n = group.placement, k.shape[2]
        k, v = (_real(part, placement) for part in (k, v))
        dropping = self._dropping(group)
        outs: list[Tensor] = []
        sums: list[Tensor | None] = []
        row = 0
        for run in (*placement.runs, Run(q.shape[2], q.shape[2], None)):
            if row < run.first:
                nothing = q[:, :, row : run.first]
                outs.append(nothing.new_zeros(*nothing.shape[:3], v.shape[3]))
                sums.append(_no_lse(nothing))
            if run.first < run.stop:
                part = Part(self.module, self.layer, group, run, n, q.shape[2])
                given = {name: cut_input(part, name, value) for name, value in self.rest.items()}
                given |= {} if run.start is None else {"start": run.start}
                found = self.module.attention(
                    q[:, :, run.first : run.stop],
                    *(k, v),
                    layer=self.layer,
                    return_lse=with_lse,
                    **dropping,
                    **given,
                )
                out, lse = found if with_lse else (found, None)
                outs.append(out)
                sums.append(lse)
            row = run.stop
        return _joined(outs, 2), _joined(sums, 2) if with_lse else None


def _dropping(dropout: float, seed: int | Tensor | None) -> dict[str, Any]:
    """Arguments that drop weights; none without, as a module may have no dropout."""
    return {"dropout": dropout, "seed": seed} if dropout or seed is not None else {}


def _real(part: Tensor, placement: Placement) -> Tensor:
    """The keys or values of a sequence alone."""
    slots = placement.slots
    if isinstance(slots, range):
        return part[:, :, slots.start : slots.stop] if len(slots) < part.shape[2] else part
    return part.index_select(2, torch.tensor(slots, device=part.device))


def _no_lse(rows: Tensor) -> Tensor:
    dtype = torch.float64 if rows.dtype == torch.float64 else torch.float32
    return rows.new_full(rows.shape[:3], -torch.inf, dtype=dtype)


def _joined(parts: Sequence[Any], axis: int) -> Tensor:
    whole: Tensor = parts[0] if len(parts) == 1 else torch.cat(list(parts), axis)
    return whole
