"""The padding of an encoder's keys: run-time inputs of a call, cut to batch elements alike.

Converts booleans [batch, m] and the inputs of a call to those of neighbours with the same real
slots, whose `encoder_kv` holds these alone. Raises `ValueError` for inputs that count the slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from patternc.queries.placement import Group, grouped, placements

# Roles of inputs that are the same for all slots, or know nothing of slots.
_WITHOUT_SLOTS = ("encoder", "t5", "relative", "distance", "sink", "gate", "span", "persistent")


def groups_of(
    module: ModuleType, batch: int, real: object, inputs: Mapping[str, Any]
) -> Iterator[tuple[Group, dict[str, Any]]]:
    """Batch elements with equal padding, and their arguments."""
    for name in inputs:
        if name in module.INPUTS and module.INPUTS[name][0] not in _WITHOUT_SLOTS:
            raise ValueError(
                f"key_padding= of an encoder beside {name}: leave the padding out by the pattern, "
                "`columns(valid) on encoder`, and give the booleans as valid="
            )
    k, v = inputs["encoder_kv"]
    for group in grouped(placements(batch, 0, k.shape[2], key_padding=real)):
        pair = tuple(_real(part, group) for part in (k, v))
        yield group, {**inputs, "encoder_kv": pair}


def _real(part: Tensor, group: Group) -> Tensor:
    """Keys or values of some batch elements, at the real slots alone."""
    part, slots = part[group.first : group.stop], group.placement.slots
    if isinstance(slots, range):
        return part[:, :, slots.start : slots.stop]
    return part.index_select(2, torch.tensor(slots, device=part.device))
