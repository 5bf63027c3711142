"""Text to syntax tree and back, with diagnostics about the text."""
