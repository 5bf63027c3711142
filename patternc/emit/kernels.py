"""Passes to kernels: the parts of a kernel's text that depend on the pattern.

A pass whose heads share one tiling of a few closed forms finds its tiles inside the kernel;
others take lists of tiles, made on the device. Passes of the same text share a kernel.
Non-goals: the skeleton around these parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from patternc.emit.functions import Functions
from patternc.emit.printer import TILES, TRITON, Printer, simplified
from patternc.emit.text import (
    COMPARISON,
    SUM,
    Call,
    Chain,
    Keyword,
    Leaf,
    Sequence,
    Text,
    laid_out,
    quoted,
)
from patternc.emit.treatments import Operation, row_of_distance
from patternc.emit.walk import greatest, operands
from patternc.language.formula import Truth
from patternc.language.sources import TOKENS
from patternc.layout.layout import Run, Tiling
from patternc.relation.formulas import variables_of
from patternc.relation.predicate import (
    ConstantSet,
    LabelTable,
    ListedTable,
    PermutationTable,
    RandomTable,
    SetTable,
    SpanTable,
    Table,
)
from patternc.schedule.schedule import Pass

# More runs than this of one kind are looked up instead: every closed form costs registers.
MOST_RUNS = 4
MOST_POSITIONS = 1 << 26
INT32 = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class TableParameters:
    """The parameters of one table: its pointer and strides, and its sizes."""

    slot: int
    sizes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over the tiles of all runs of a kind, in closed form."""

    total: str
    tile: str


@dataclass(frozen=True, slots=True)
class Inline:
    """Statements that find the runs of a query tile, and the loops over them."""

    setup: str
    full: Loop
    partial: Loop


@dataclass(frozen=True, slots=True)
class Kernel:
    allowed: Call
    scalars: int
    tables: tuple[TableParameters, ...]
    kinds: tuple[str, ...]
    inline: Inline | None
    operations: tuple[Operation, ...] = ()
    row: str = "i"

    @property
    def distance(self) -> str:
        """What distances are counted from, where an operation asks for them."""
        asked = any("distance" in line for item in self.operations for line in item.lines)
        return self.row if asked else ""

    def allowed_at(self, margin: str) -> str:
        """The statement that asks the predicate."""
        return laid_out(self.allowed, "allowed = ", len(margin))

    @property
    def vanishing(self) -> bool:
        """May a score be -inf in a full tile?"""
        return any("tl.log(" in line for item in self.operations for line in item.lines)

    @property
    def decorator(self) -> str:
        """What varies from call to call is not specialised: a kernel for each value is waste."""
        names = ["queries", "n", "m", "first", "first_tile", "tiles", "members"]
        names += [] if self.inline else ["batch_lines"]
        listed = Sequence(tuple(quoted(name) for name in names), square=True)
        return laid_out(Call("@_jit", (Keyword("do_not_specialize", listed),)), "", 0)


@dataclass(slots=True)
class Kernels:
    """Distinct kernels by name, and the printed predicates that they call."""

    functions: Functions = field(default_factory=Functions)
    names: dict[Kernel, str] = field(default_factory=dict)

    def name(self, item: Pass, operations: tuple[Operation, ...]) -> tuple[str, bool]:
        """The kernel of a pass, and whether it finds its tiles itself."""
        kernel = self._kernel(item, operations)
        name = self.names.setdefault(kernel, f"_forward_{len(self.names)}_kernel")
        return name, kernel.inline is not None

    def _kernel(self, item: Pass, operations: tuple[Operation, ...]) -> Kernel:
        scalars = len(item.scalars[0]) if item.scalars else 0
        tables = tuple(
            TableParameters(slot, tuple(f"table{slot}_{size}" for size in sizes_of(heads[0])))
            for slot, heads in enumerate(item.tables)
        )
        sizes = ["n"] if item.source == TOKENS else ["n", "m"]
        parameters = [*sizes[1:], *(f"s{slot}" for slot in range(scalars))]
        for table in tables:
            parameters += [f"table{table.slot}", *table.sizes]
        allowed = self.functions.kernel_predicate(item.predicate, parameters, is_wide(item))
        arguments = ["i[:, None]", "j[None, :]", "n", *parameters]
        call = Call(allowed, tuple(map(Leaf, arguments)))
        kinds = ("full", "partial") if any(t.full for t in item.tilings) else ("partial",)
        inline = inlined(item.tilings[0]) if is_inline(item) else None
        row = row_of_distance(item.source)
        return Kernel(call, scalars, tables, kinds, inline, operations, row)


def sizes_of(table: Table) -> tuple[str, ...]:
    """What a kernel must know of a table beside its place."""
    match table:
        case RandomTable() | ListedTable() | PermutationTable():
            return ("rows", "entries")
        case SetTable() | ConstantSet() | LabelTable():
            return ("size",)
        case SpanTable():
            return ("size", "ends")
        case _:
            assert_never(table)


def is_wide(item: Pass) -> bool:
    """Might a part of the predicate exceed 32 bits at positions that the kernel takes?"""
    numbers = [abs(number) for row in item.scalars for number in row]
    most = max([1, *numbers])
    values = operands(simplified(item.predicate))
    return any(greatest(value, MOST_POSITIONS, most) > INT32 for value in values)


def is_inline(item: Pass) -> bool:
    match item.tilings:
        case (Tiling(full=full, partial=partial, products=()),):
            few = len(full) <= MOST_RUNS and len(partial) <= MOST_RUNS
            return few and not any("j" in variables_of(run.guard) for run in full + partial)
        case _:
            return False


def inlined(tiling: Tiling) -> Inline:
    full_setup, full = _loop("full", tiling.full)
    full_setup = full_setup if tiling.full else []
    partial_setup, partial = _loop("partial", tiling.partial)
    return Inline("\n".join([*full_setup, *partial_setup]), full, partial)


def _loop(kind: str, runs: tuple[Run, ...]) -> tuple[list[str], Loop]:
    """Runs one after another: step t of the loop belongs to the first run that ends after t."""
    setup: list[str] = []
    end: Text = Leaf("0")
    tile: Text = Leaf("t")
    for number, run in enumerate(runs):
        name, step = f"{kind}{number}", Chain(SUM, Leaf(f"{kind}{number}"), (("+", Leaf("t")),))
        setup += _run(name, end, run)
        later = Chain(SUM, step.first, (*step.rest, ("-", end)))
        tile = Call("tl.where", (_less("t", end), tile, later)) if number else step
        end = Leaf(f"{name}_end")
    # Closed forms say nothing of query tiles before position 0; those visit every key tile.
    all_tiles = Leaf("0" if kind == "full" else "tl.cdiv(m, KEYS)")
    steps = Call("tl.where", (_less("a", Leaf("0")), all_tiles, end))
    setup.append(laid_out(steps, f"{kind}_steps = ", 4))
    if kind == "partial":
        tile = Call("tl.where", (_less("a", Leaf("0")), Leaf("t"), tile))
    return setup, Loop(f"{kind}_steps", laid_out(tile, "b = ", 8))


def _less(name: str, end: Text) -> Text:
    return Chain(COMPARISON, Leaf(name), (("<", end),))


def _run(name: str, before: Text, run: Run) -> list[str]:
    """`name` is the first tile of the run, `name_end` the number of steps up to its end."""
    printer = Printer(TRITON, TILES)
    stop = Chain(SUM, printer.expression(run.stop), (("-", Leaf(name)),))
    length: Text = Call("tl.maximum", (stop, Leaf("0")))
    guard = simplified(run.guard)
    if guard != Truth(True):
        length = Call("tl.where", (printer.condition(guard), length, Leaf("0")))
    end = length if before == Leaf("0") else Chain(SUM, before, (("+", length),))
    first = laid_out(printer.expression(run.start), f"{name} = ", 4)
    return [first, laid_out(end, f"{name}_end = ", 4)]
