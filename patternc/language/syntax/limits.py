"""How large a program and its numbers may be.

One table for all of the language, documented in `grammar/README.md`. Beyond a limit a program is
refused with a code; up to it every operation takes seconds and stays far from the recursion limit.
Limits of lengths are in the commands, budgets of analyses in `algebra`.
"""

from __future__ import annotations

TEXT_BYTES = 1_000_000
"""Of a program in UTF-8 (P130)."""
LIST_ITEMS = 65_536
"""Of a list or call, and values of an ordered list with its ranges written out (P130)."""
NESTING = 100
"""Levels of brackets and operators in one statement (P005)."""
WRITTEN_NESTING = 150
"""The same, with the definitions of lets in their place (P133)."""
ABSOLUTE = 6
"""Absolute values of positions inside each other, each of which doubles the cases (P133)."""
PARTS = 100_000
"""Of a statement once its lets are written out (P111)."""
PATTERNS = 65_536
"""Heads times layers (P110)."""
WORDS = 50_000
"""Words, numbers and signs of a text, where a list of plain numbers is one (P130)."""
DIGITS = 4_000
"""Of one number; Python refuses to read longer ones."""
WORK = 500_000
"""Rules, parameters and parts of patterns, looked at for every layer and head (P134)."""
GRID = 2**32
"""Positions of a grid (P132)."""
SLOTS = 2**24
"""Numbers of slots, and of random keys a row (P132)."""
CASES = 1_024
"""Of the normal form of a relation with tables, each a condition with other tables (P135)."""
BANDS = 128
"""Of `offsets`, of neighbours or evenly spaced distances each (P130)."""
BLOCK_PARTS = 32
"""Of `blocks(parts=p)`, whose every part is a case of its own (P132)."""

SHOWN = 50
"""Findings of one program that a message has in full."""
NEAR_MISSES = 50
"""Findings up to which unknown names are compared with known ones."""
NEAR_KNOWN = 500
"""Known names that an unknown one is compared with."""
NEAR_LETTERS = 64
"""Of a name that is compared with others."""
COLUMNS = 160
"""Of a line of a program in a message."""
