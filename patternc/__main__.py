"""The `patternc` command, also as `python -m patternc`: an interrupt while it is imported is quiet.

Imports nothing at first, since an interrupt may come at any time.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130
"""128 and the number of the signal, as shells have it."""


def main() -> None:
    """The entry point."""
    try:
        from patternc.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
