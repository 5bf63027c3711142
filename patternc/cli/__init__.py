"""Commands of `patternc` in files of their own: arguments in, text and exit codes out."""
