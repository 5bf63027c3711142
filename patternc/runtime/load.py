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

from patternc.cache import private_folder


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
    return private_folder("modules") / f"{name}.py"


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
