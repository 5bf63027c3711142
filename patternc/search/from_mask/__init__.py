"""Masks to programs: the shortest program found that holds the same pairs.

`solve` finds programs of one mask, at one length or at several at once; `heads` joins those of
several heads. Does not prove: `queries.from_mask` compares the program's own mask pair by pair.
"""

from patternc.search.from_mask.boards import Board
from patternc.search.from_mask.heads import program
from patternc.search.from_mask.solve import Solution, solutions

__all__ = ["Board", "Solution", "program", "solutions"]
