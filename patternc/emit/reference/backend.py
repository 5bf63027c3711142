"""The reference backend: dense masks and a dense softmax, which every module holds."""

from __future__ import annotations

from patternc.emit.module import ModuleBackend

BACKEND = ModuleBackend("reference")
