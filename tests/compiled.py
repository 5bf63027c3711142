"""Modules of schedules and patterns with every backend, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from patternc import Pattern
from patternc.emit.backend import Request
from patternc.emit.backends import chosen_backends, emit
from patternc.emit.features import chosen_features
from patternc.emit.inputs import Input
from patternc.runtime.load import load_module
from patternc.schedule.schedule import Schedule

EVERY = ("all",)


def source_of_schedule(
    schedule: Schedule, text: str, inputs: Sequence[Input] = (), name: str = "<text>"
) -> str:
    request = Request(schedule, text, name, "patternc compile", inputs)
    request = replace(request, native=True, self_test=True, features=chosen_features(EVERY))
    return emit(request, chosen_backends(EVERY))


def module_of_schedule(
    schedule: Schedule, text: str, inputs: Sequence[Input] = (), name: str = "<text>"
) -> ModuleType:
    return load_module(source_of_schedule(schedule, text, inputs, name))


def module_of_pattern(pattern: Pattern, **options: Any) -> ModuleType:
    """What `Pattern.module` is, with other tiles or one layer."""
    return load_module(
        pattern.compile(backends=EVERY, native=True, self_test=True, features=EVERY, **options)
    )
