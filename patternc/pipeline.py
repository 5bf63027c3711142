"""The compiler as a line of stages.

    text -> ast -> program -> relation -> decomposition -> tilings -> schedule -> module

`Compilation` has an attribute a stage, each a function of the one before it, computed when it is
first asked for. `Pattern.compile`, `patternc compile` and `--emit` read these attributes; the log
has a line for each that was computed. The stages up to the relations are a `Frontend`, which serves
any number of compilations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from patternc.algebra.walk import searched_lists
from patternc.emit.backend import Backend, Request
from patternc.emit.backends import DEFAULT, chosen_backends, emit
from patternc.emit.features import chosen_features
from patternc.frontend import Frontend
from patternc.frozen import frozen
from patternc.ir.searches import SORTED_LISTS
from patternc.ir.terms import HeadPattern, IndexList
from patternc.language import Elaborated, Program
from patternc.logs import logged
from patternc.relation.relation import Relation, relation
from patternc.schedule.build import build_schedule
from patternc.schedule.decompose import Decomposition, decompose
from patternc.schedule.schedule import Schedule
from patternc.schedule.tile_sizes import Choice, given_tiles
from patternc.schedule.tilings import Tilings, tile
from patternc.schedule.work_split import EXAMPLE_LENGTH


@frozen
class Options:
    """What is compiled for what; `Pattern.compile` says what each option means.

    `name` and `command` are what the module calls the program and how it was made.
    """

    layer: int | None = None
    dtype: str | None = None
    head_dim: int | None = None
    tiles: tuple[int, int] | None = None
    backends: tuple[str, ...] = DEFAULT
    native: bool = False
    self_test: bool = False
    features: tuple[str, ...] = ()
    name: str | None = None
    command: str | None = None
    heads: tuple[int, int] | None = None


@dataclass(frozen=True)
class Compilation:
    """One program on its way to one module."""

    frontend: Frontend
    options: Options = Options()  # noqa: RUF009 (it is immutable)

    @property
    def ast(self) -> Program:
        return self.frontend.ast

    @property
    def program(self) -> Elaborated:
        return self.frontend.program

    @cached_property
    def relation(self) -> tuple[tuple[Relation, ...], ...]:
        """The heads of every layer, for the rows of the tokens and then for all other rows.

        Behind them, where a search sorts, what attends in that order.
        """
        layers, rows = self.layers, ("", *self.program.rows)
        with logged("relation", self.name):
            every = (self.frontend.relations(at, each) for each in rows for at in layers)
            asked = tuple(heads[self._rank] for heads in every)
            return asked + (((_SORTED,),) if any(map(_sorts, chain(*asked))) else ())

    @cached_property
    def decomposition(self) -> Decomposition:
        relation = self.relation
        with logged("decomposition", self.name):
            choice = self._tile_sizes(relation)
            return decompose(relation, *choice.shape, choice.reasons)

    @cached_property
    def tilings(self) -> Tilings:
        decomposition = self.decomposition
        with logged("tilings", self.name):
            return tile(decomposition)

    @cached_property
    def schedule(self) -> Schedule:
        tilings, program = self.tilings, self.program
        layers = program.layers if self.options.layer is None else None
        with logged("schedule", self.name):
            rows = tuple(program.rows.values())
            heads = program.heads and len(range(program.heads)[self._rank])
            return build_schedule(tilings, heads, layers, rows, self._example_length)

    @cached_property
    def module(self) -> str:
        schedule = self.schedule
        with logged("module", self.name):
            return emit(self._request(schedule), self.backends)

    @property
    def name(self) -> str:
        return self.options.name or self.frontend.name

    @property
    def layers(self) -> Sequence[int]:
        """The layers that the module holds."""
        layer = self.options.layer
        return range(self.program.layers or 1) if layer is None else [layer]

    @property
    def _rank(self) -> slice:
        """The heads that the module holds."""
        return slice(*self.options.heads or (None,))

    @property
    def backends(self) -> tuple[Backend, ...]:
        return chosen_backends(self.options.backends)

    def _tile_sizes(self, relation: tuple[tuple[Relation, ...], ...]) -> Choice:
        """Those asked for, or those of the first backend."""
        options = self.options
        if options.tiles:
            return given_tiles(*options.tiles)
        every = (head for heads in relation for head in heads)
        return self.backends[0].tile_sizes(every, options.dtype, options.head_dim)

    @property
    def _example_length(self) -> int:
        """The greatest n that launches are judged at: no more than the grids of all layers have."""
        spans = [self.frontend.fitting(layer) for layer in self.layers]
        return min(EXAMPLE_LENGTH, max(span[1] if span else EXAMPLE_LENGTH for span in spans))

    def _request(self, schedule: Schedule) -> Request:
        options, frontend = self.options, self.frontend
        return Request(
            schedule,
            pattern_text=frontend.text,
            name=self.name,
            command=options.command or f"patternc compile {self.name}",
            inputs=self.program.inputs,
            dtype=options.dtype,
            head_dim=options.head_dim,
            lengths=tuple(map(frontend.fitting, self.layers)),
            sources={rows: frontend.sources(rows) for rows in ("", *self.program.rows)},
            native=options.native,
            self_test=options.self_test,
            features=chosen_features(options.features),
            rank=(*options.heads, self.program.heads or 1) if options.heads else None,
        )


_SORTED = relation(HeadPattern((IndexList(SORTED_LISTS),)))


def _sorts(found: Relation) -> bool:
    """Does a search of it put rows and keys in another order?"""
    lists = (table for each in found.branches for table in searched_lists(each.predicate))
    return any(table.found is not None and table.found.search.sorts for table in lists)
