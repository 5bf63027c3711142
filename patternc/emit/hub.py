"""Kernel repositories: a compiled module in the layout that the `kernels` package loads.

Maps the text of a standalone module to the files of a repository, by their paths in it:
`build/torch-BACKEND/` for each kind of device ("noarch" variants, for kernels without compiled
parts), `build.toml` and `torch-ext/` from which kernel-builder would build the same, and a card.
Held to kernels 0.17.2 and the kernel requirements in its documentation. Does not write files, and
does not upload anything.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

_NAME = re.compile(r"[a-z][-a-z0-9]*[a-z0-9]")
VERSION, LICENSE = 1, "MIT"
# Device kinds of the loader that a backend of the module serves.
_DEVICES = {"triton": ("cuda", "rocm"), "cpu": ("cpu",)}


def served(name: str, backends: Sequence[str]) -> list[str]:
    """The kinds of devices that kernel `name`, compiled for `backends`, runs on.

    Raises `ValueError` for a name that the loader refuses, and where there are none.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a kernel; expected lower-case letters, digits and dashes, "
            "such as 'local-attention'"
        )
    devices = [device for each in backends for device in _DEVICES.get(each, ())]
    if not devices:
        known = " or ".join(repr(each) for each in _DEVICES)
        raise ValueError(f"a kernel repository needs backend {known}, or 'all'")
    return devices


def repository(name: str, module: str, backends: Sequence[str], program: str) -> dict[str, str]:
    """The files of kernel `name`, which holds `module`, compiled for `backends` from `program`."""
    devices = served(name, backends)
    package = {"__init__.py": _package(name), "attention.py": module}
    found = {f"torch-ext/{name.replace('-', '_')}/{file}": package[file] for file in package}
    for device in devices:
        folder = f"build/torch-{device}"
        found |= {f"{folder}/{file}": text for file, text in package.items()}
        found[f"{folder}/metadata.json"] = _metadata(name, device, module)
    return found | {"build.toml": _build(name, devices), "README.md": _card(name, program)}


def _package(name: str) -> str:
    return (
        f'"""Attention of the pattern {name}; see `attention`."""\n\n'
        "from .attention import attention, mask, reference\n\n"
        '__all__ = ["attention", "mask", "reference"]\n'
    )


def _metadata(name: str, device: str, module: str) -> str:
    """`id` names the loaded module: no two versions of a kernel share one."""
    digest = hashlib.sha256(module.encode()).hexdigest()[:12]
    held = {
        "id": f"_{name.replace('-', '_')}_{device}_{digest}",
        "name": name,
        "version": VERSION,
        "license": LICENSE,
        "python-depends": [],
        "backend": {"type": device},
    }
    return json.dumps(held, indent=2) + "\n"


def _build(name: str, devices: Sequence[str]) -> str:
    listed = "".join(f'    "{device}",\n' for device in devices)
    return (
        f'[general]\nname = "{name}"\nversion = {VERSION}\nedition = 6\nlicense = "{LICENSE}"\n'
        f"backends = [\n{listed}]\n\n[torch-noarch]\n"
    )


def _card(name: str, program: str) -> str:
    shown = "".join(f"    {line}\n" if line else "\n" for line in program.splitlines())
    return f"""---
library_name: kernels
license: {LICENSE.lower()}
tags:
- kernels
---

# {name}

Attention with a fixed pattern, compiled by patternc from this program:

{shown}
Load it from this folder, or from the Hub once it is uploaded:

    from pathlib import Path
    from kernels import get_local_kernel
    kernel = get_local_kernel(Path("{name}"))
    out = kernel.attention(q, k, v)  # [batch, heads, n, head_dim]

`reference` is the same by a dense mask, `mask` the mask. Run-time inputs go by name.
"""
