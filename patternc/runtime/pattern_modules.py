"""The generated modules of a pattern: for all heads or some, for pages of a cache, for flex.

Each is compiled and loaded at its first use, outside of traces of torch.compile. Does not call
them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from patternc.emit.features import EVERY
from patternc.progress import working
from patternc.queries.arguments import head_range
from patternc.runtime.call import has_alibi, refuse_unknown_heads, seed_of_heads
from patternc.runtime.flex import FlexModules, Variant
from patternc.runtime.load import load_module
from patternc.runtime.module_cache import Built, ensure
from patternc.schedule.tile_sizes import SIZES

if TYPE_CHECKING:
    import torch


class PatternModules:
    """Built by `emit`, which takes what `Pattern.compile` does and gives the text of a file."""

    def __init__(
        self, emit: Callable[..., str], name: str, heads: int | None, layers: int | None
    ) -> None:
        self._emit, self._name, self._heads = emit, name, heads
        self._of_heads = Built(self._build)
        self._of_pages = Built(self._build_paged)
        self.flex = FlexModules(Built(self._build_flex), layers)

    def of_heads(self, heads: tuple[int, int] | None = None) -> ModuleType:
        """The module of some heads, from the first to before the second, or of all."""
        ensure(self._of_heads.key, heads)
        return self._of_heads.modules[heads]

    def of_call(
        self, heads: slice | None, q: torch.Tensor, dropout: float, seed: int | torch.Tensor | None
    ) -> tuple[ModuleType, int | torch.Tensor | None]:
        """The module of the heads that q holds, and a seed of theirs."""
        if heads is None:
            return self.of_heads(), seed
        first, stop = head_range(heads, self._heads, q.shape[1])
        if self._heads is None and has_alibi(self.of_heads()):
            refuse_unknown_heads(heads)
        module = self.of_heads((first, stop) if self._heads else None)
        return module, seed_of_heads(first, dropout, seed, q.device)

    def of_pages(self, page: int) -> ModuleType:
        """The module of the paged kernel, for pages of so many tokens."""
        if page not in SIZES:
            listed = ", ".join(map(str, SIZES))
            raise ValueError(f"pages have {page} tokens; expected one of {listed}")
        ensure(self._of_pages.key, page)
        return self._of_pages.modules[page]

    def _build(self, heads: tuple[int, int] | None) -> ModuleType:
        some = None if heads is None else slice(*heads)
        return self._loaded(backends=("all",), native=True, features=EVERY, heads=some)

    def _build_paged(self, page: int) -> ModuleType:
        return self._loaded(backends=("paged",), tiles=(16, page))

    def _build_flex(self, variant: Variant) -> ModuleType:
        layer, tiles = variant
        return self._loaded(layer=layer, tiles=tiles, backends=("flex",))

    def _loaded(self, **options: object) -> ModuleType:
        with working(f"compiling {self._name}"):
            return load_module(self._emit(**options))
