"""Closed-form runs as loops of a kernel: along a query tile's row, or down a key tile's column.

Converts tilings to statements that find the runs of a tile, and one loop over the tiles of all runs
of a kind. Does not print the body of a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from patternc.algebra.queries import fits, variables_of
from patternc.algebra.value_bounds import Reach
from patternc.emit.text.expressions import COLUMN_TILES, TILES, TRITON, Names, Printer, simplified
from patternc.emit.text.layout import COMPARISON, SUM, Call, Chain, Leaf, Text, statement
from patternc.emit.triton.register_pressure import INT32, MOST_POSITIONS
from patternc.frozen import frozen
from patternc.ir.formula import Truth
from patternc.tiling.tiling import Interval

# More runs than this of one kind are looked up instead: every closed form costs registers.
MOST_RUNS = 4


@frozen
class Assignment:
    """`name = value`, at any depth."""

    name: str
    value: Text

    def at(self, depth: int) -> str:
        return statement(self.value, f"{self.name} = ", 4 * depth)


@frozen
class Loop:
    """A loop over the tiles of all runs of a kind, in closed form: step t is at `tile`."""

    setup: tuple[Assignment, ...]
    tile: Assignment

    def tile_at(self, depth: int) -> str:
        return self.tile.at(depth)


@frozen
class Inline:
    """The loops over full and partial tiles; no loop over full ones where there are none."""

    full: Loop | None
    partial: Loop

    def setup_at(self, depth: int) -> str:
        """Statements that find the runs of a tile."""
        loops = [self.partial] if self.full is None else [self.full, self.partial]
        return "\n".join(line.at(depth) for loop in loops for line in loop.setup)


@frozen
class Bounds:
    """Tiles start .. stop - 1, none where the guard does not hold."""

    start: Text
    stop: Text
    guard: Text | None = None


def are_few(full: tuple[Interval, ...], partial: tuple[Interval, ...], tile: int) -> bool:
    """Can a kernel find these runs by itself, in 32 bits? No tile is shorter than `tile`."""
    few = len(full) <= MOST_RUNS and len(partial) <= MOST_RUNS
    reach = Reach(MOST_POSITIONS // tile, MOST_POSITIONS)
    few = few and all(fits(run, INT32, reach) for run in full + partial)
    return few and not any("j" in variables_of(run.guard) for run in full + partial)


def along_row(
    full: tuple[Interval, ...], partial: tuple[Interval, ...], key_tile: str = "BLOCK_N"
) -> Inline:
    """Loops over the key tiles b of query tile a, of `key_tile` keys each.

    Closed forms say nothing of query tiles before position 0; those visit every key tile.
    """
    negative, every_tile = _less(Leaf("a"), Leaf("0")), Leaf(f"tl.cdiv(m, {key_tile})")

    def loop(kind: str, runs: tuple[Interval, ...]) -> Loop:
        lines, end, tile = _joined(kind, [_bounds(run, TILES) for run in runs])
        if kind == "partial":
            tile = Call("tl.where", (negative, Leaf("t"), tile))
        steps = every_tile if kind == "partial" else Leaf("0")
        total = Assignment(f"{kind}_steps", Call("tl.where", (negative, steps, end)))
        return Loop((*lines, total), Assignment("b", tile))

    return Inline(loop("full", full) if full else None, loop("partial", partial))


def down_column(full: tuple[Interval, ...], partial: tuple[Interval, ...]) -> Inline:
    """Loops over the query tiles a of key tile b, from that of the first query on.

    Closed forms say nothing of query tiles before position 0; all of those are visited.
    """
    first = Leaf("first_tile")

    def loop(kind: str, runs: tuple[Interval, ...]) -> Loop:
        found = [_bounds(run, COLUMN_TILES) for run in runs]
        found = [replace(item, start=_greater(item.start, first)) for item in found]
        before = [Bounds(first, Leaf("0"))] if kind == "partial" else []
        lines, end, tile = _joined(kind, [*before, *found])
        return Loop((*lines, Assignment(f"{kind}_steps", end)), Assignment("a", tile))

    return Inline(loop("full", full) if full else None, loop("partial", partial))


def _bounds(run: Interval, names: Names) -> Bounds:
    printer, guard = Printer(TRITON, names), simplified(run.guard)
    held = None if guard == Truth(True) else printer.condition(guard)
    return Bounds(printer.expression(run.start), printer.expression(run.stop), held)


def _joined(kind: str, runs: Sequence[Bounds]) -> tuple[list[Assignment], Text, Text]:
    """Runs one after another: step t of the loop belongs to the first run that ends after t.

    Statements, the number of steps, and the tile of step t.
    """
    lines: list[Assignment] = []
    end: Text = Leaf("0")
    tile: Text = Leaf("t")
    for number, run in enumerate(runs):
        name = f"{kind}{number}"
        step = Chain(SUM, Leaf(name), (("+", Leaf("t")),))
        lines += _run(name, end, run)
        later = Chain(SUM, step.first, (*step.rest, ("-", end)))
        tile = Call("tl.where", (_less(Leaf("t"), end), tile, later)) if number else step
        end = Leaf(f"{name}_end")
    return lines, end, tile


def _run(name: str, before: Text, run: Bounds) -> list[Assignment]:
    """`name` is the first tile of the run, `name_end` the number of steps up to its end."""
    stop = Chain(SUM, run.stop, (("-", Leaf(name)),))
    length: Text = Call("tl.maximum", (stop, Leaf("0")))
    if run.guard is not None:
        length = Call("tl.where", (run.guard, length, Leaf("0")))
    end = length if before == Leaf("0") else Chain(SUM, before, (("+", length),))
    return [Assignment(name, run.start), Assignment(f"{name}_end", end)]


def _less(left: Text, right: Text) -> Text:
    return Chain(COMPARISON, left, (("<", right),))


def _greater(left: Text, right: Text) -> Text:
    return Call("tl.maximum", (left, right))
