"""Generated source to a module: written to a content-addressed cache and imported from there.

Triton reads a kernel's source from its file, so a module must have one. What lies there is
executed, so no other user may write to the folder. Does not compile patterns.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType


def load_module(source: str) -> ModuleType:
    """The module of `source`; the same text gives the same module within a process."""
    name = f"patternc_module_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    if name not in sys.modules:
        path = module_path(name)
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            write_whole(path, source)
        import_file(name, path)
    return sys.modules[name]


def module_path(name: str) -> Path:
    """The file of a module. Raises `PermissionError` where others may write beside it."""
    folder = cache_directory() / "modules"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        raise PermissionError(
            f"{folder} contains code that is executed, and others own it or may write to it: "
            "remove it, or set PATTERNC_CACHE_DIR to a folder of your own"
        )
    return folder / f"{name}.py"


def cache_directory() -> Path:
    """`PATTERNC_CACHE_DIR`, else `patternc` in the user's cache directory."""
    chosen = os.environ.get("PATTERNC_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "patternc"


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half-written: beside it first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def import_file(name: str, path: Path) -> None:
    """Import a file as `sys.modules[name]`."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
