"""What every later package reads: formulas, terms, position sets, key sources and modifiers."""
