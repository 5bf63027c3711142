"""Results that print what their commands print, also at a prompt.

The texts are those of `report`, which reads the results: a result names the function that gives its
text, so that it need not import it.
"""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar


class Printed:
    """Printed by the function `printer`, "module:function" of patternc, which gives lines."""

    __slots__ = ()
    printer: ClassVar[str]

    def __repr__(self) -> str:
        module, name = self.printer.split(":")
        text: str = getattr(import_module(f"patternc.{module}"), name)(self)
        return text.rstrip("\n")
