"""The names of the compiler's stages, in their order; `patternc.pipeline` computes them."""

from __future__ import annotations

from typing import Literal, get_args

Stage = Literal["ast", "program", "relation", "decomposition", "tilings", "schedule", "module"]
STAGES: tuple[Stage, ...] = get_args(Stage)
FORMER_NAMES: dict[str, Stage] = {"tree": "ast", "layout": "tilings", "kernel": "module"}
