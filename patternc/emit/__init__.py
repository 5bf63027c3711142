"""Schedules to source text, by backends."""
