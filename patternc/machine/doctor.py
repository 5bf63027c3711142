"""What works on this machine: versions, and a small call by each backend against the reference.

A finding is a name, whether it works, and what was seen or what to do. Does not print.
"""

from __future__ import annotations

import logging
import os
import platform
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from patternc.cache import cache_directory, usable_folder
from patternc.frozen import frozen
from patternc.version import __version__

State = Literal["works", "absent", "fails"]
_NEEDED = ("torch", "numpy", "islpy", "lark", "jinja2", "networkx", "click")
_OPTIONAL = {
    "triton": "kernels on a GPU",
    "transformers": "patternc.bridges.transformers, audit, extend, import",
    "pygls": "patternc lsp",
    "matplotlib": "report --charts",
}
_TEXT = "causal\nlocal(20) + columns([0])"
_BOUND = 1e-4


@frozen
class Finding:
    """`absent` is what this machine lacks and may lack; `fails` is what is wrong."""

    name: str
    state: State
    told: str


def findings() -> Iterator[Finding]:
    """One by one, versions first; backends take about a second each."""
    yield Finding("patternc", "works", __version__)
    yield Finding("python", "works", f"{platform.python_version()}, {platform.platform()}")
    yield from (_version(name, "") for name in _NEEDED)
    yield from (_version(name, use) for name, use in _OPTIONAL.items())
    yield _cache()
    yield _compiler()
    yield _gpu()
    yield _tried("cpu, forward and backward", lambda: _differs("cpu", "cpu"))
    yield _tried("FlexAttention, eager", _flex_differs)
    yield _kernels()


def _version(name: str, use: str) -> Finding:
    try:
        return Finding(name, "works", version(name))
    except PackageNotFoundError:
        told = f"not installed; for {use}" if use else "not installed: pip install patternc"
        return Finding(name, "absent" if use else "fails", told)


def _cache() -> Finding:
    folder = cache_directory()
    if usable_folder("modules") is None:
        told = f"{folder} is not writable, or others may write to it: set PATTERNC_CACHE_DIR"
        return Finding("cache", "fails", told)
    return Finding("cache", "works", str(folder))


def _compiler() -> Finding:
    """The compiler's name alone: whether it works is told by the call on the CPU."""
    try:
        command = shlex.split(os.environ.get("PATTERNC_CC", "cc"))
    except ValueError as error:
        return Finding("C compiler", "fails", f"PATTERNC_CC: {error}")
    if not command:
        return Finding("C compiler", "absent", "turned off by PATTERNC_CC; the CPU path is slower")
    found = shutil.which(command[0])
    if found is None:
        told = f"no `{command[0]}`; the CPU path is slower without; PATTERNC_CC names another"
        return Finding("C compiler", "absent", told)
    return Finding("C compiler", "works", found)


def _gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("GPU", "absent", "torch sees none; kernels run on the CPU path")
    name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory
    return Finding("GPU", "works", f"{name}, {memory / 2**30:.0f} GB")


def _kernels() -> Finding:
    import torch

    name = "Triton kernels"
    if not torch.cuda.is_available():
        return Finding(name, "absent", "no GPU to run them; patternc compile writes them anywhere")
    return _tried(name, lambda: _differs("triton", "cuda"))


def _tried(name: str, differs: Callable[[], float]) -> Finding:
    """What the call says, also what it logs."""
    with _warnings() as said:
        try:
            far = differs()
        except Exception as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())
            return Finding(name, "fails", told[:300])
    if not far <= _BOUND:
        return Finding(name, "fails", f"differs from the reference by {far:.1e}")
    told = f"equals the reference, {far:.0e}"
    slow = [text for text in said if "without C" in text]
    return Finding(name, "works", "; ".join([told, *slow]))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Lines of the logger `patternc`, which are kept from the terminal."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log, kept = logging.getLogger("patternc"), Kept()
    passed, log.propagate = log.propagate, False
    log.addHandler(kept)
    try:
        yield said
    finally:
        log.removeHandler(kept)
        log.propagate = passed


def _differs(backend: str, device: str) -> float:
    """The greatest difference from the reference, of the output and of gradients."""
    import torch

    from patternc.pattern import Pattern

    module = Pattern.parse(_TEXT).module
    parts = [torch.randn(1, 2, 65, 16, device=device, requires_grad=True) for _ in range(3)]
    weight = torch.randn(1, 2, 65, 16, device=device)
    wide = [part.detach().double().requires_grad_() for part in parts]
    found, wanted = module.attention(*parts, backend=backend), module.reference(*wide)
    pairs = [(found, wanted)]
    pairs += zip(
        torch.autograd.grad(found, parts, weight),
        torch.autograd.grad(wanted, wide, weight.double()),
        strict=True,
    )
    return max(float((one - other).detach().abs().max()) for one, other in pairs)


def _flex_differs() -> float:
    import warnings

    import torch
    from torch.nn.attention.flex_attention import flex_attention

    from patternc.pattern import Pattern

    pattern = Pattern.parse(_TEXT)
    q, k, v = (torch.randn(1, 2, 128, 16) for _ in range(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = flex_attention(q, k, v, block_mask=pattern.block_mask(128))
    return float((found - pattern.reference(q, k, v)).abs().max())
