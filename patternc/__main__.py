"""The `patternc` command, also as `python -m patternc`: an interrupt while it is imported is quiet.

Imports nearly nothing at first, since an interrupt may come at any time.
"""

from __future__ import annotations

import sys

from patternc.exit_codes import INTERRUPTED


def main() -> None:
    """The entry point."""
    try:
        import gc

        # Few cycles are ever made, and looking for them takes a tenth of a short command's time.
        gc.set_threshold(100_000, 50, 100)
        from patternc.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
