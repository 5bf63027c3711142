"""The first half of the compiler, for one program: text -> ast -> program -> relation.

Each stage is computed when it is first asked for, and kept. Everything that can be asked of a
program starts here; `patternc.pipeline` goes on to a module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, cycle, islice
from typing import Any

from patternc.ir.sources import TOKENS, KeySource, Rows, Stream
from patternc.ir.terms import HeadPattern
from patternc.language import Elaborated, PatternError, Program, elaborate, parse
from patternc.logs import logged
from patternc.relation.relation import Relation, relation
from patternc.semantics.errors import TooManyCasesError
from patternc.semantics.key_sources import sources_of
from patternc.semantics.lengths import Span, fitting

_ATTACHED = 4_000
# Programs with numbers for their sizes that are kept.
_SIZED = 64


@dataclass(frozen=True)
class Frontend:
    """A program and its parameters; layers and heads are numbers that the caller has checked."""

    text: str
    name: str = "<pattern>"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    _relations: dict[tuple[int, str], tuple[Relation, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _lowered: dict[HeadPattern, Relation] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _sources: dict[str, tuple[KeySource, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _sized: dict[tuple[tuple[str, int], ...], Frontend] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            kind = type(self.text).__name__
            raise TypeError(f"expected the text of a program, got {kind}; `load` reads a file")

    @cached_property
    def ast(self) -> Program:
        """The program as it was written. Raises `PatternError`."""
        with logged("ast", self.name):
            return parse(self.text, self.name)

    @cached_property
    def program(self) -> Elaborated:
        """The rules with their meaning. Raises `PatternError`."""
        ast = self.ast
        with logged("program", self.name), _attached(self.text):
            return elaborate(ast, self.parameters)

    def with_sizes(self, values: Mapping[str, int]) -> Frontend:
        """The program with numbers for these of its sizes, as if they were parameters."""
        key = tuple(sorted(values.items()))
        if key not in self._sized:
            if len(self._sized) >= _SIZED:
                self._sized.pop(next(iter(self._sized)))
            self._sized[key] = Frontend(self.text, self.name, {**self.parameters, **values})
        return self._sized[key]

    def relations(self, layer: int = 0, rows: str = "") -> tuple[Relation, ...]:
        """The relation of every head, each distinct pattern lowered once."""
        at = layer if self.program.layers else 0
        if (at, rows) not in self._relations:
            heads = range(self.program.heads or 1)
            self._relations[at, rows] = tuple(self._relation(at, head, rows) for head in heads)
        return self._relations[at, rows]

    def verify_cases(self) -> None:
        """Refuses rules whose relations have too many cases. Raises `PatternError`."""
        for rows in ("", *self.program.rows):
            for layer, head in self.program.places_of_rules(rows):
                self._relation(layer, head, rows)

    def _relation(self, layer: int, head: int, rows: str) -> Relation:
        pattern = self.resolve(layer, head, rows)
        if pattern not in self._lowered:
            try:
                self._lowered[pattern] = relation(pattern)
            except TooManyCasesError as error:
                place = self.program.written(layer, head, rows)[0].span
                raise TooManyCasesError(self.ast.source, place) from error
        return self._lowered[pattern]

    def all_relations(self, layer: int, heads: int) -> tuple[Relation, ...]:
        """The relations of that number of heads, followed by those of the rows of streams."""
        streams = [name for name, rows in self.program.rows.items() if isinstance(rows, Stream)]
        every = (islice(cycle(self.relations(layer, rows)), heads) for rows in ("", *streams))
        return tuple(chain.from_iterable(every))

    def patterns(self, layer: int = 0, rows: str = "") -> tuple[HeadPattern, ...]:
        """The pattern of every head of a layer."""
        return tuple(self.resolve(layer, head, rows) for head in range(self.program.heads or 1))

    def resolve(self, layer: int, head: int, rows: str = "") -> HeadPattern:
        """The pattern of one head; without a header every number stands for the only one."""
        self.rows_called(rows)
        at = (layer if self.program.layers else 0, head if self.program.heads else 0)
        return self.program.resolve(*at, rows)

    def rows_called(self, rows: str) -> Rows:
        """The rows of a stream or tree by name. Raises `ValueError` for an unknown one."""
        if rows and rows not in self.program.rows:
            listed = ", ".join(self.program.rows) or "only the tokens"
            raise ValueError(f"unknown rows {rows!r}; this pattern has: {listed}")
        return self.program.rows[rows] if rows else TOKENS

    def sources(self, rows: str = "") -> tuple[KeySource, ...]:
        """The key sources of all layers and heads, in the order in which the text names them."""
        if rows not in self._sources:
            self.rows_called(rows)
            places = self.program.places_of_rules(rows)
            every = (sources_of(self.resolve(*place, rows)) for place in places)
            self._sources[rows] = tuple(dict.fromkeys(chain.from_iterable(every)))
        return self._sources[rows]

    def fitting(self, layer: int = 0) -> Span | None:
        """The smallest and largest n that the grids of a layer fit; None where every n does."""
        known = [span for span in set(map(fitting, self.patterns(layer))) if span is not None]
        return (max(low for low, _ in known), min(high for _, high in known)) if known else None


@contextmanager
def _attached(text: str) -> Iterator[None]:
    """Adds the program to an error that is not one of the program."""
    try:
        yield
    except PatternError:
        raise
    except Exception as error:
        error.add_note(
            f"internal error of patternc, please report; the program:\n{text[:_ATTACHED]}"
        )
        raise
