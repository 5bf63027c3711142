"""Checked syntax trees to the pattern of every layer and head."""
