"""Algebra of formulas: simplification, affine forms, integer sets, intervals.

Nothing here knows about attention.
"""
