"""Adapters between patterns and the formats and models of other libraries, one each."""
