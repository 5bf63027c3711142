"""Patterns put together in Python: words called as functions, and operators between patterns.

Maps values and programs to the text of a program, which is what the result means: begin reading in
`combine.py`. `words.py` is written by `write_words.py` from the table of words. Does not elaborate.
"""
