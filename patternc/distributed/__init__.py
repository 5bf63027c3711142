"""Attention over many devices: which rank holds which rows, and what its queries ask of others."""
