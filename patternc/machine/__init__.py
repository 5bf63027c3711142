"""This machine: what works on it, and how fast."""
