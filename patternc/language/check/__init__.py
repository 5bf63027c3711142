"""Checks on the syntax tree: names, types, arguments, order of statements."""
