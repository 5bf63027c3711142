"""Adapters between patterns and other libraries' formats and models, one package or file each."""
