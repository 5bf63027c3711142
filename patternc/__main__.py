"""`python -m patternc`: the same as the `patternc` command."""

from patternc.cli import main

if __name__ == "__main__":
    main()
