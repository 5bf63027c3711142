"""The straight line: the stages in order, each a pure function from one noun to the next.

`STAGES` is what `--emit` and tests read. Caching is in `Pattern`.
"""

from __future__ import annotations

from typing import Literal

Stage = Literal["tree", "program", "relation", "layout", "schedule", "kernel"]
STAGES: tuple[Stage, ...] = ("tree", "program", "relation", "layout", "schedule", "kernel")
