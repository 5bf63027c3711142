"""Schedules to the source of standalone modules."""

from patternc.emit.module import emit_module

__all__ = ["emit_module"]
