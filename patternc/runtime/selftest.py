"""The test of a generated file, also of one that was compiled without it.

The text that `patternc compile --self-test` appends is run in the module's own namespace, so that
both test the same. Does not compile patterns.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType

from patternc.emit.module import gpu_dtypes, self_test_text
from patternc.runtime.load import import_file


def self_test(path: Path, dtype: str | None = None, head_dim: int | None = None) -> bool:
    """Does what can run here agree with the dense reference in float64? Prints each comparison.

    `dtype` (by default float32 and bfloat16) and `head_dim` (16) are those of the tensors on a GPU.
    Raises `ValueError` for a file that patternc did not write, and what importing the file raises.
    """
    text = path.read_text(encoding="utf-8")
    name = f"patternc_file_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    import_file(name, path)
    module = sys.modules[name]
    if not {"attention", "reference", "INPUTS", "BACKENDS"} <= module.__dict__.keys():
        if "make_mask_mod" in module.__dict__:
            raise ValueError(f"{path} was compiled for flex: it has no reference")
        raise ValueError(f"{path} was not written by patternc compile")
    tested: bool = vars(with_self_test(module, dtype, head_dim))["_self_test"]()
    return tested


def with_self_test(
    module: ModuleType, dtype: str | None = None, head_dim: int | None = None
) -> ModuleType:
    """The module with its self-test, and the samples of calls that this makes."""
    if not hasattr(module, "_self_test"):
        code = compile(
            _test_of(module, dtype, head_dim), f"<self-test of {module.__name__}>", "exec"
        )
        exec(code, vars(module))
    return module


def _test_of(module: ModuleType, dtype: str | None, head_dim: int | None) -> str:
    """The test's text for what the module holds."""
    names = module.__dict__.keys()
    return self_test_text(
        uses={
            "rows": "_ROWS" in names,
            "treated": "_check_sizes" in names,
            "combined": "_combined" in names,
            "features": "_Features" in names,
            "found": "found_lists" in names,
            "drawn": "_drawn_weights" in names,
            "places": "_places_table" in names,
            "turned_places": "_places_of" in names,
        },
        backends=module.BACKENDS,
        native="_native" in names,
        lengths="_LENGTHS" in names,
        gpu_dtypes=gpu_dtypes(dtype),
        head_dim=head_dim,
    )
