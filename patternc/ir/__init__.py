"""What every later room reads: formulas, terms, position sets, key sources and modifiers."""
