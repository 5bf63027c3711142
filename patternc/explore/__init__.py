"""A page on which a pattern is typed, looked at, pointed at and compared."""
