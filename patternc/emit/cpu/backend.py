"""The CPU backend: blocks of torch operations, and C where a request has `native`."""

from __future__ import annotations

from patternc.emit.module import ModuleBackend

BACKEND = ModuleBackend(
    "cpu",
    (
        "forward",
        "backward",
        "work_partition",
        "nonfinite",
        "strided_blocks",
        "block_plan",
        "merge_blocks",
        "dedup_masks",
        "decode_plans",
        "plan_cache",
        "chunks",
        "scattered_lists",
    ),
    lists=True,
)
