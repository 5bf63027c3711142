"""The Triton backend: kernels for NVIDIA and AMD GPUs, and their launches."""

from __future__ import annotations

from patternc.emit.module import ModuleBackend

BACKEND = ModuleBackend(
    "triton",
    (
        "common",
        "forward",
        "backward",
        "launch_forward",
        "launch_config",
        "launch_backward",
        "residue_classes",
        "work_split",
        "launch_work_split",
        "features",
    ),
    devices='("cpu", "cuda") if _INTERPRETED else "cuda"',
    kernels=True,
)
