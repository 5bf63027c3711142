"""The log of the compiler: logger `patternc`, level DEBUG, one line a stage with its time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

LOGGER = logging.getLogger("patternc")


@contextmanager
def logged(stage: str, name: str) -> Iterator[None]:
    """Logs how long the stage of a program took."""
    began = perf_counter()
    yield
    LOGGER.debug("%s: %s in %.1f ms", name, stage, 1e3 * (perf_counter() - began))
