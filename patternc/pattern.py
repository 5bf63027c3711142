"""`Pattern`: one program of the language, and everything it can be asked.

The facade over the rooms. Masks and layouts are numpy; torch and triton are imported only by
`attention` and `reference`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import chain, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from patternc.language import Elaborated, Program, RunTimeInput, elaborate, parse
from patternc.language.diagnostics import Diagnostic, ordered
from patternc.language.sources import Source
from patternc.language.terms import HeadPattern
from patternc.layout.at import Layout
from patternc.layout.count import pairs_with_multiplicity
from patternc.relation.errors import InputError
from patternc.relation.lengths import fitting, verify
from patternc.relation.meaning import columns, multiplicity
from patternc.relation.relation import Relation, relation
from patternc.relation.tables import HeadTables
from patternc.schedule.build import build_schedule
from patternc.schedule.schedule import Schedule
from patternc.schedule.tiles import choose_tiles
from patternc.zoo import published

if TYPE_CHECKING:
    from types import ModuleType

    import torch

Input = Any


class Pattern:
    """A pattern for every length.

    >>> from patternc import Pattern
    >>> pattern = Pattern.parse("local(1) + global([0])")
    >>> pattern.mask(4)[0].astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 0, 1, 1]])
    >>> pattern.pairs(4096)
    [20476]
    """

    def __init__(
        self, text: str, *, name: str = "<pattern>", parameters: Mapping[str, Any] | None = None
    ) -> None:
        self.text = text
        self.name = name
        self._tree = parse(text, name)
        self._program: Elaborated = elaborate(self._tree, parameters or {})
        self._relations: dict[int, tuple[Relation, ...]] = {}

    @classmethod
    def parse(cls, text: str, /, **parameters: Any) -> Pattern:
        """A pattern from its text; keywords override `param` lines. Raises `PatternError`."""
        return cls(text, parameters=parameters)

    @classmethod
    def load(cls, path: str | Path, /, **parameters: Any) -> Pattern:
        """A pattern from a file. Raises `PatternError` and `OSError`."""
        text = Path(path).read_text(encoding="utf-8")
        return cls(text, name=str(path), parameters=parameters)

    @classmethod
    def from_zoo(cls, name: str, /, **parameters: Any) -> Pattern:
        """A published pattern, by its file's name in `examples/`: `Pattern.from_zoo("bigbird")`.

        Raises `ValueError` for an unknown name, and `PatternError` for unknown parameters.
        """
        return cls(published(name), name=f"{name}.pat", parameters=parameters)

    @property
    def heads(self) -> int | None:
        """Query heads the program names; None fits any number."""
        return self._program.heads

    @property
    def layers(self) -> int | None:
        """Layers the program names; None fits any number."""
        return self._program.layers

    @property
    def inputs(self) -> tuple[RunTimeInput, ...]:
        """Run-time inputs with name, role and shape."""
        return self._program.inputs

    @property
    def tree(self) -> Program:
        """The program as it was written."""
        return self._tree

    @property
    def elaborated(self) -> Program:
        """The program with parameters in force and the `avoid=` of random draws written out."""
        return self._program.program

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return self._program.warnings

    def check(self, n: int | None = None) -> tuple[Diagnostic, ...]:
        """The warnings, and what the length n brings to light: empty rows, leaks, unseen keys.

        None is 4096 tokens, or as many as the pattern's grid has. Raises `LengthError`.
        """
        from patternc.analysis.warnings import warnings_at

        return ordered((*self.warnings, *warnings_at(self._program, n)))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every `param` with the value in force."""
        return self._program.parameters

    def mask(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> NDArray[np.bool_]:
        """Which keys each query row attends to: booleans [heads, queries, n].

        n is the number of tokens; the queries (n of them by default) stand at the end. A program
        without `heads` has one head here. With key sources the columns are those of `columns`;
        `slots` says how many slots `memory`, `compressed` and `encoder` have at the call.
        """
        return self.multiplicity(n, queries, layer, slots=slots, **inputs) > 0

    def multiplicity(
        self,
        n: int,
        queries: int | None = None,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> NDArray[np.int64]:
        """mu(i, j), how often a pair counts: integers [heads, queries, n], as `mask`."""
        self._check(n, layer, inputs)
        if queries is not None and queries < 0:
            raise ValueError(f"a number of queries of at least 0 is expected, not {queries}")
        heads = self._heads_with(inputs)
        patterns = [self._resolved(layer, head) for head in heads]
        own = [self._of_head(inputs, head) for head in heads]
        sources = [source for source, _ in self.columns(n, layer, slots=slots)]
        both = zip(patterns, own, strict=True)
        return np.stack(
            [multiplicity(each, n, queries, given, slots, sources) for each, given in both]
        )

    def columns(
        self, n: int, layer: int = 0, *, slots: Mapping[str, int] | None = None
    ) -> tuple[tuple[Source, int], ...]:
        """The key sources of all heads and their slots, in the order of a mask's columns."""
        heads = range(self.heads or 1)
        every = (columns(self._resolved(layer, head), n, slots) for head in heads)
        return tuple(dict.fromkeys(chain.from_iterable(every)))

    def pairs(
        self,
        n: int,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> list[int]:
        """Pairs with multiplicity of each head at n tokens and n queries, counted exactly."""
        self._check(n, layer, inputs)
        return [
            pairs_with_multiplicity(relation, HeadTables(n, self._of_head(inputs, head), slots))
            for head, relation in zip(self._heads_with(inputs), cycle(self.relations(layer)))
        ]

    def layout(
        self,
        n: int,
        block: int | tuple[int, int] = 128,
        layer: int = 0,
        *,
        slots: Mapping[str, int] | None = None,
        **inputs: Input,
    ) -> Layout:
        """The tiles each head visits; `block` is a size, or (query tile, key tile)."""
        self._check(n, layer, inputs)
        query_tile, key_tile = (block, block) if isinstance(block, int) else block
        if min(query_tile, key_tile) < 1:
            raise ValueError(f"a block of at least one token is expected, not {block}")
        heads = self._heads_with(inputs)
        tables = [HeadTables(n, self._of_head(inputs, head), slots) for head in heads]
        relations = [relation for _, relation in zip(heads, cycle(self.relations(layer)))]
        return Layout(relations, n, query_tile, key_tile, tables)

    def relations(self, layer: int = 0) -> tuple[Relation, ...]:
        """The relation of every head."""
        at = 0 if self.layers is None else layer
        if at not in self._relations:
            heads = range(self.heads or 1)
            self._relations[at] = tuple(relation(self._resolved(at, head)) for head in heads)
        return self._relations[at]

    def schedule(
        self, layer: int | None = None, dtype: str | None = None, head_dim: int | None = None
    ) -> Schedule:
        """What the generated module launches; for one layer or all."""
        layers = range(self.layers or 1) if layer is None else [layer]
        relations = [self.relations(index) for index in layers]
        count = None if layer is not None else self.layers
        everything = (relation for heads in relations for relation in heads)
        chosen = choose_tiles(everything, dtype, head_dim)
        return build_schedule(
            relations,
            heads=self.heads,
            layers=count,
            query_tile=chosen.query_tile,
            key_tile=chosen.key_tile,
            reasons=chosen.reasons,
        )

    def compile(
        self,
        layer: int | None = None,
        dtype: str | None = None,
        head_dim: int | None = None,
        command: str | None = None,
    ) -> str:
        """The source of a standalone module: kernels, CPU path and reference in one text.

        `layer` compiles one layer (the module's only one); `dtype` and `head_dim` choose its tiles
        and self-test. `command` is what its header says it was made with.
        """
        from patternc.emit import emit_module

        return emit_module(
            self.schedule(layer, dtype, head_dim),
            pattern_text=self.text,
            name=self.name,
            command=command or f"patternc compile {self.name}",
            dtype=dtype,
            head_dim=head_dim,
            inputs=self.inputs,
            lengths=self._lengths(layer),
        )

    @cached_property
    def module(self) -> ModuleType:
        """The generated module, loaded."""
        from patternc.runtime.load import load_module

        return load_module(self.compile())

    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        **options: Any,
    ) -> Any:
        """Attention over this pattern: see `attention` of a generated module.

        q [batch, heads, queries, head_dim], k and v [batch, kv_heads, n, head_dim]; None where the
        pattern has no term on the tokens. Options and run-time inputs go by name.
        """
        return self.module.attention(q, k, v, **options)

    def reference(
        self,
        q: torch.Tensor,
        k: torch.Tensor | None,
        v: torch.Tensor | None,
        **options: Any,
    ) -> Any:
        """The same by dense masks, in any dtype: what the kernels are held to."""
        return self.module.reference(q, k, v, **options)

    def __repr__(self) -> str:
        body = " ".join(line.strip() for line in self.text.splitlines() if _says_something(line))
        shown = body if len(body) <= 60 else body[:57] + "..."
        return f"Pattern({shown!r}, heads={self.heads}, layers={self.layers})"

    def __str__(self) -> str:
        return self.text

    def _lengths(self, layer: int | None) -> tuple[tuple[int, int] | None, ...]:
        """The lengths that fit each layer that a module holds; None where all do."""
        layers = range(self.layers or 1) if layer is None else [layer]
        return tuple(self._fitting(index) for index in layers)

    def _fitting(self, layer: int) -> tuple[int, int] | None:
        spans = {fitting(self._resolved(layer, head)) for head in range(self.heads or 1)}
        known = [span for span in spans if span is not None]
        return (max(low for low, _ in known), min(high for _, high in known)) if known else None

    def _check(self, n: int, layer: int, inputs: Mapping[str, Input]) -> None:
        if n < 0:
            raise ValueError(f"a length of at least 0 is expected, not {n}")
        if not 0 <= layer < (self.layers or layer + 1):
            last = "" if self.layers is None else f" to {self.layers - 1}"
            raise ValueError(f"layer {layer} is out of range; layers count from 0{last}")
        for head in range(self.heads or 1):
            verify(self._resolved(layer, head), n)
        known = {item.name for item in self.inputs}
        unknown = sorted(set(inputs) - known)
        if unknown:
            listed = ", ".join(sorted(known)) or "none"
            raise InputError(
                f"{unknown[0]!r} is no run-time input of this pattern; it has: {listed}"
            )

    def _heads_with(self, inputs: Mapping[str, Input]) -> range:
        """The heads; a program without `heads` has as many as its lists do."""
        names = [item.name for item in self.inputs if item.role == "listed"]
        listed = [np.asarray(inputs[name]) for name in names if name in inputs]
        given = [value.shape[-3] for value in listed if value.ndim > 2]
        return range(self.heads or max(given, default=1))

    def _resolved(self, layer: int, head: int) -> HeadPattern:
        return self._program.resolve(layer if self.layers else 0, head if self.heads else 0)

    def _of_head(self, inputs: Mapping[str, Input], head: int) -> dict[str, NDArray[Any]]:
        """The inputs of one head: lists of [heads, rows, k] are cut, a batch of one is dropped."""
        roles = {item.name: item.role for item in self.inputs}
        return {name: _cut(np.asarray(value), roles[name], head) for name, value in inputs.items()}


def _cut(value: NDArray[Any], role: str, head: int) -> NDArray[Any]:
    """One head and one batch element of a run-time input."""
    if role != "listed":
        return value[0] if value.ndim == 2 and len(value) == 1 else value
    if value.ndim == 4 and len(value) == 1:
        value = value[0]
    return value[min(head, len(value) - 1)] if value.ndim == 3 else value


def _says_something(line: str) -> bool:
    return bool(line.split("#")[0].strip())
