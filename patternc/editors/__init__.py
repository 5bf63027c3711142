"""What editors ask: colours of a text, and the answers of a language server."""
