"""Exit codes of the command line beside 0 and 1."""

INTERRUPTED = 130
"""128 and the number of the signal, as shells have it."""
