"""The cache directory: generated modules, and what every process would otherwise compute again.

What lies in its folders is executed or unpickled, so no other user may write to them.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """`PATTERNC_CACHE_DIR`, else `patternc` in the user's cache directory."""
    chosen = os.environ.get("PATTERNC_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "patternc"


def private_folder(name: str) -> Path:
    """A folder of the cache directory. Raises `PermissionError` where others may write to it."""
    folder = cache_directory() / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        raise PermissionError(
            f"{folder} holds code that is executed, and others own it or may write to it: "
            "remove it, or set PATTERNC_CACHE_DIR to a folder of your own"
        )
    return folder


def usable_folder(name: str) -> Path | None:
    """A folder that can be written to, and by nobody else; None where there is none."""
    try:
        folder = private_folder(name)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
