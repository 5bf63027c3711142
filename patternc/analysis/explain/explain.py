"""Why, over layers: what the heads of a layer say of a pair, and a shortest path with its terms.

Maps a program and the tables of its layers to `Why`. Formatting is in `report.why`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from patternc.algebra.isl_context import BudgetError
from patternc.algebra.work_budget import EffortError
from patternc.analysis.explain.pair import ProgramPart, Verdict, verdict
from patternc.analysis.reach.edges import edges_of
from patternc.analysis.reach.shortest_path import Link, path
from patternc.analysis.table_pairs import UnknownError
from patternc.frozen import frozen
from patternc.ir.sources import name_of
from patternc.language.elaborate.elaborate import Elaborated
from patternc.printed import Printed
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables


@frozen
class PathStep:
    """One link of a path, and a head with the terms that allow it.

    `rows` and `source` say whose positions `query` and `key` are: "" the tokens', else the name of
    a stream, or "tree". No head and no terms where no rule is written: the rows of trees, and those
    of streams without rules.
    """

    layer: int
    query: int
    key: int
    head: int | None
    terms: tuple[ProgramPart, ...]
    rows: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Why(Printed):
    """`path` is empty where query and key are one position, None where no path was found.

    Its first step is the last layer's. `path_known`: whether a path was looked for to the end,
    through `layers` layers.
    """

    printer: ClassVar[str] = "report.why:text"

    n: int
    query: int
    key: int
    verdicts: tuple[Verdict, ...]
    path: tuple[PathStep, ...] | None
    path_known: bool
    layers: int

    @property
    def sees(self) -> bool:
        """Whether some head of the layer attends from query to key."""
        return any(each.sees for each in self.verdicts)


def why(
    program: Elaborated,
    schedule: Sequence[Sequence[Relation]],
    tables: Sequence[Sequence[HeadTables]],
    n: int,
    query: int,
    key: int,
    layer: int,
    heads: Sequence[int],
    layers: int,
) -> Why:
    """`schedule[layer][head]` and `tables[layer][head]` are those of the program's layers."""
    at = layer if program.layers else 0
    own = tables[at % len(tables)]
    verdicts = tuple(
        verdict(program, at, head, own[min(head, len(own) - 1)], query, key) for head in heads
    )
    steps = [edges_of(relations) for relations in schedule]
    try:
        links = path(steps, tables, n, query, key, layers)
    except (UnknownError, BudgetError, EffortError):
        return Why(n, query, key, verdicts, None, False, layers)
    found = None if links is None else tuple(step_of(program, tables, link) for link in links)
    return Why(n, query, key, verdicts, found, True, layers)


def step_of(program: Elaborated, tables: Sequence[Sequence[HeadTables]], link: Link) -> PathStep:
    """The link with the first head that allows it."""
    at, (rows, source) = link.layer % len(tables), map(name_of, (link.rows, link.source))
    plain = PathStep(link.layer, link.query, link.key, None, (), rows, source)
    if not program.has_rules(rows):
        return plain
    # A program without `heads` has as many as its lists.
    for head, own in enumerate(tables[at]):
        found = verdict(program, at, head, own, link.query, link.key, link.rows, link.source)
        if found.sees:
            return replace(plain, head=head, terms=found.allowed_by)
    raise AssertionError("some head allows the link")
