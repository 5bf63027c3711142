"""Blocks of positions as a graph: who attends to whom, how much, by which heads and terms.

Maps a program at one length to a networkx `DiGraph`. Its nodes are blocks, numbered from 0, with
`start` and `stop` in tokens; an edge leads from a block of queries to a block of keys it attends
to, with

- `pairs`: pairs of tokens that it holds, of all heads, with multiplicity,
- `density`: their share of all pairs of the two blocks and all heads, above 1 where pairs of a
  `mix` count more than once,
- `ahead`: those of the pairs with j > i,
- `heads`: the heads that hold some, ascending; `terms`: the terms of the rule that do, as written.

Time grows with the tiles that the pattern touches. Does not handle key sources, whose slots are not
blocks of tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from patternc.algebra.evaluate import Integers, Values
from patternc.algebra.intervals import Interval, filter_of, spans
from patternc.algebra.simplify import TRUE
from patternc.algebra.work_budget import spend
from patternc.analysis.reach.edges import edges_of
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.sources import TOKENS
from patternc.ir.terms import HeadPattern
from patternc.language.check.environment import Environment
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.elaborate.lower import Lowering
from patternc.language.syntax.ast import Binary, Call, Lift, Name, Node, node_of
from patternc.language.syntax.diagnostics import Findings
from patternc.language.syntax.unparse import show_node
from patternc.progress import steps
from patternc.relation.relation import Branch, Relation, relation
from patternc.relation.tables import HeadTables, Tables
from patternc.tiling.key_runs import key_runs
from patternc.tiling.layout_at_length import BranchLayout

if TYPE_CHECKING:
    import networkx as nx

_CELLS = 1 << 18
# Over the cells of a tile, beside those of its formula.
_PASSES = 4
_BRANCHING = ("mix", "gate", "difference", "sum", "mean")


@frozen
class _Tiles:
    """Tiles (query block, key block) with the pairs they hold, and those of them ahead."""

    query: Integers
    key: Integers
    pairs: Integers
    ahead: Integers


_Seen = dict[tuple[Condition, int, int | None], _Tiles]


def graph(
    program: Elaborated, layer: int, tables: Sequence[HeadTables], block: int
) -> nx.DiGraph[int]:
    """The blocks of one layer; `tables[head]` are those of every head."""
    import networkx as nx

    n = tables[0].n
    found: nx.DiGraph[int] = nx.DiGraph(n=n, block=block, layer=layer, heads=len(tables))
    for first in range(0, n, block):
        found.add_node(first // block, start=first, stop=min(first + block, n))
    seen: _Seen = {}
    for head, own in steps(list(enumerate(tables)), "heads"):
        at = head if program.heads else 0
        whole = relation(program.resolve(layer, at))
        _add(found, _tiles(whole, own, block, seen), head)
        for name, part in _terms(program, layer, at):
            _name(found, _tiles(part, own, block, seen), name)
    for query, key, held in found.edges(data=True):
        area = _height(found, query) * _height(found, key) * len(tables)
        held["density"] = held["pairs"] / area
        held["heads"] = tuple(sorted(held["heads"]))
    return found


def _height(found: nx.DiGraph[int], block: int) -> int:
    node = found.nodes[block]
    return int(node["stop"] - node["start"])


def _add(found: nx.DiGraph[int], every: Iterator[_Tiles], head: int) -> None:
    for tiles in every:
        columns = (tiles.query, tiles.key, tiles.pairs, tiles.ahead)
        for query, key, pairs, ahead in zip(*(each.tolist() for each in columns), strict=True):
            if not found.has_edge(query, key):
                found.add_edge(query, key, pairs=0, ahead=0, heads=set(), terms=())
            edge = found.edges[query, key]
            edge["pairs"] += pairs
            edge["ahead"] += ahead
            edge["heads"].add(head)


def _name(found: nx.DiGraph[int], every: Iterator[_Tiles], name: str) -> None:
    for tiles in every:
        for query, key in zip(tiles.query.tolist(), tiles.key.tolist(), strict=True):
            edge = found.edges[query, key] if found.has_edge(query, key) else None
            if edge is not None and name not in edge["terms"]:
                edge["terms"] += (name,)


def _terms(program: Elaborated, layer: int, head: int) -> Iterator[tuple[str, Relation]]:
    """The terms of a rule as they are written, and what each means alone."""
    written, place = program.written(layer, head)
    text = program.program.source
    for part, placed in _operands(written, place):
        cut = Binary("&", placed, Name("causal")) if program.causal else placed
        pattern = HeadPattern(Lowering(place, program.causal, Findings()).branches(cut))
        yield " ".join(text.slice(part.span).split()) or show_node(part), relation(pattern)


def _operands(node: Node, place: Environment) -> Iterator[tuple[Node, Node]]:
    """The terms of the outermost union and of the branches of a mix, and each in its lift."""
    match node:
        case Name(name) if name in place.lets:
            yield from _operands(place.lets[name], place)
        case Binary("+", left, right):
            yield from _operands(left, place)
            yield from _operands(right, place)
        case Call(function, arguments) if function in _BRANCHING:
            for argument in arguments:
                if argument.name is None:
                    yield from _operands(node_of(argument), place)
        case Lift(call, body):
            for part, placed in _operands(body, place):
                yield part, Lift(call, placed)
        case _:
            yield node, node


def _tiles(whole: Relation, tables: HeadTables, block: int, seen: _Seen) -> Iterator[_Tiles]:
    """The tiles of each branch on the tokens that hold a pair."""
    for branch in whole.branches:
        if branch.source != TOKENS:
            continue
        # Inputs of the call may differ between heads, other tables are those of the branch.
        known = all(edge.is_known for edge in edges_of([whole]))
        name = (branch.predicate, branch.multiplicity, None if known else id(tables))
        if name not in seen:
            seen[name] = _held(BranchLayout(branch, block, block, tables.of(TOKENS)), block)
        yield seen[name]


def _held(layout: BranchLayout, block: int) -> _Tiles:
    tables, branch = layout.tables, layout.branch
    rows = [layout.row(query) for query in range(-(-tables.n // block))]
    query = np.repeat(np.arange(len(rows)), [len(key) for key, _ in rows])
    key = np.concatenate([np.zeros(0, np.int64), *(key for key, _ in rows)])
    full = np.concatenate([np.zeros(0, np.bool_), *(full for _, full in rows)])
    height, width = (np.minimum(block, tables.n - side * block) for side in (query, key))
    pairs = np.where(full, height * width, 0)
    ahead = np.where(key > query, pairs, np.where(key == query, height * (height - 1) // 2, 0))
    ahead = np.where(full, ahead, 0)
    partial = np.flatnonzero(~full)
    pairs[partial], ahead[partial] = _of_partial(layout, query[partial], key[partial], block)
    kept, times = pairs > 0, branch.multiplicity
    return _Tiles(query[kept], key[kept], pairs[kept] * times, ahead[kept] * times)


def _of_partial(
    layout: BranchLayout, query: Integers, key: Integers, block: int
) -> tuple[Integers, Integers]:
    """Pairs of each tile, and those ahead: by runs over its rows, or pair by pair."""
    tables, branch = layout.tables, layout.branch
    runs = None if branch.conjuncts else key_runs(branch.formula, branch.keys)
    plain = runs is not None and all(filter_of(run) == TRUE for run in runs)
    bounds = _bounds(runs, tables) if runs is not None and plain else None
    area = block if bounds else block**2
    spend(_PASSES * len(query) * area, kept=False)
    step = max(1, _CELLS // area)
    found = [np.zeros((2, 0), np.int64)]
    for first in range(0, len(query), step):
        some = (query[first : first + step, None] * block, key[first : first + step, None] * block)
        if bounds:
            found.append(_in_runs(bounds, *some, block))
        else:
            found.append(_by_pairs(branch, *some, block, tables))
    pairs, ahead = np.concatenate(found, axis=1)
    return pairs, ahead


def _bounds(runs: tuple[Interval, ...], tables: Tables) -> list[tuple[Integers, Integers, int]]:
    """The keys start <= j < stop of every row in each run, and their step."""
    spend(tables.n)
    rows = np.arange(tables.n)
    return [(*spans(run, rows, tables.sizes), run.step) for run in runs]


def _in_runs(
    bounds: list[tuple[Integers, Integers, int]], row: Integers, key: Integers, block: int
) -> Integers:
    """Pairs, and those ahead, of tiles that begin at `row` and `key`: arrays [tiles, 1]."""
    total = np.zeros((2, len(row)), np.int64)
    i = row + np.arange(block)
    for start, stop, step in bounds:
        inside = np.minimum(i, len(start) - 1)
        first = start[inside]
        last = np.where(i == inside, stop[inside], first)
        before, behind = (_below(first, np.minimum(last, end), step) for end in (key, key + block))
        past = _below(first, np.minimum(last, i + 1), step)
        total[0] += (behind - before).sum(axis=1)
        total[1] += np.maximum(behind - np.maximum(before, past), 0).sum(axis=1)
    return total


def _below(start: Integers, stop: Integers, step: int) -> Integers:
    """How many of start, start + step, .. come before `stop`."""
    count: Integers = np.maximum(-(-(stop - start) // step), 0)
    return count


def _by_pairs(branch: Branch, row: Integers, key: Integers, block: int, tables: Tables) -> Integers:
    """The same of any predicate."""
    inside = np.arange(block)
    i, j = (row + inside)[:, :, None], (key + inside)[:, None, :]
    values: Values = {"i": i, "j": np.minimum(j, tables.n - 1)}
    held = tables.holds(branch.predicate, values) & (i < tables.n) & (j < tables.n)
    return np.stack([held.sum(axis=(1, 2)), (held & (j > i)).sum(axis=(1, 2))])
