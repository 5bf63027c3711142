"""The `patternc` command, also as `python -m patternc`: an interrupt while it is imported is quiet.

Imports nearly nothing at first, since an interrupt may come at any time.
"""

from __future__ import annotations

import sys

from patternc.exit_codes import INTERRUPTED


def main() -> None:
    """The entry point."""
    try:
        from patternc.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
