"""Attention over many devices: which rank holds which rows, and what its queries ask of others.

`attention` computes it, on torch.distributed; `Pattern.plan` says what is sent. Torch is imported
with the first of its names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from patternc.distributed.agreement import DisagreementError
    from patternc.distributed.exchange import ExchangeError
    from patternc.distributed.execute import attention

__all__ = ["DisagreementError", "ExchangeError", "attention"]
_MODULES = {"DisagreementError": "agreement", "ExchangeError": "exchange", "attention": "execute"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
