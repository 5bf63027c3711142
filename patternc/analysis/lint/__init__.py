"""Warnings at a length, and performance hints."""
