"""What a program is at each stage, as text: `patternc compile --emit STAGE`.

The stages are those of `patternc.pipeline`. The text is human-readable and cannot be read back.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import fields
from typing import TypeVar, assert_never

from patternc.algebra.intervals import Interval
from patternc.algebra.printer import PLAIN, FormulaPrinter
from patternc.algebra.simplify import TRUE
from patternc.emit.operands import OperandTable
from patternc.emit.text.functions import Functions
from patternc.ir.sources import KeySource, word_of
from patternc.language import show
from patternc.pipeline import Compilation
from patternc.relation.relation import Branch, Relation
from patternc.schedule.cost_model import LENGTH, tiles_of
from patternc.schedule.decompose import Decomposition, Head
from patternc.schedule.residue_classes import Classes
from patternc.schedule.schedule import Group, HeadClasses, Pass, Schedule
from patternc.schedule.tilings import TiledHead, TiledPiece, Tilings
from patternc.schedule.work_split import Split
from patternc.stages import Stage
from patternc.tiling.tiling import Tiling

_TILES = FormulaPrinter({"i": "a", "j": "b"})
_Value = TypeVar("_Value", bound=Hashable)


def stage_text(compilation: Compilation, stage: Stage) -> str:
    """One stage of a program, equal layers and heads together."""
    match stage:
        case "ast":
            return show(compilation.ast)
        case "program":
            return show(compilation.program.program)
        case "relation":
            return _joined(_relation(compilation.relation))
        case "decomposition":
            return _joined(_decomposition(compilation.decomposition))
        case "tilings":
            return _joined(_tilings(compilation.tilings))
        case "schedule":
            return _joined(_schedule(compilation.schedule))
        case "module":
            return compilation.module
        case _:
            assert_never(stage)


def _joined(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"


def _relation(layers: Sequence[tuple[Relation, ...]]) -> Iterator[str]:
    for numbers, heads in _together(layers):
        yield f"layers {_listed(numbers)}"
        for equal, relation in _together(heads):
            yield f"  heads {_listed(equal)}"
            for number, branch in enumerate(relation.branches):
                yield f"    branch {number}: {_treatment(branch)}"
                yield f"      {_pairs(branch)}"


def _decomposition(found: Decomposition) -> Iterator[str]:
    yield from _tiles(found)
    for numbers, heads in _together(found.layers):
        yield f"layers {_listed(numbers)}"
        for equal, head in _together(heads):
            yield f"  heads {_listed(equal)}"
            yield from _cuts(head)


def _cuts(head: Head) -> Iterator[str]:
    for number, (branch, cut) in enumerate(zip(head.relation.branches, head.cuts, strict=True)):
        yield f"    branch {number}: {_treatment(branch)}"
        for at, piece in enumerate(cut):
            yield f"      piece {at}{_counted(piece.classes)}"
            yield f"        {_pairs(piece.of(branch))}"


def _tilings(found: Tilings) -> Iterator[str]:
    yield from _tiles(found)
    for numbers, heads in _together(found.layers):
        yield f"layers {_listed(numbers)}"
        for equal, head in _together(heads):
            yield f"  heads {_listed(equal)}"
            yield from _tiled(head)


def _tiled(head: TiledHead) -> Iterator[str]:
    for number, pieces in enumerate(head.branches):
        yield f"    branch {number}: {_treatment(head.relation.branches[number])}"
        for at, piece in enumerate(pieces):
            yield f"      piece {at}{_counted(piece.classes)}"
            yield from _loops(piece)


def _loops(piece: TiledPiece) -> Iterator[str]:
    yield f"        {_pairs(piece.branch)}"
    yield from (f"        {line}" for line in _tiling(piece.tiling))


def _counted(classes: Classes | None) -> str:
    """Which positions i and j count in a piece of classes."""
    if classes is None:
        return ""
    return f": {_classes(HeadClasses(*classes.kind, (classes.offset,)))}"


def _pairs(branch: Branch | Pass) -> str:
    return f"{{ (i, j) : {PLAIN.condition(branch.predicate)} }}"


def _together(values: Sequence[_Value]) -> list[tuple[list[int], _Value]]:
    """Equal values with the places at which they are."""
    places: dict[_Value, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return [(found, value) for value, found in places.items()]


def _tiles(found: Decomposition | Tilings | Schedule) -> Iterator[str]:
    yield f"query tiles of {found.query_tile} rows, key tiles of {found.key_tile} keys"
    yield from (f"  {reason}" for reason in found.reasons)


def _treatment(branch: Branch | Pass) -> str:
    """Source, multiplicity and what else is not as usual."""
    parts = [
        f"source {word_of(branch.source)}{_arguments(branch.source)}",
        f"multiplicity {branch.multiplicity}",
    ]
    parts += [f"with {modifier}" for modifier in branch.modifiers]
    names = [branch.projection] if branch.projection else [name for _, name in branch.projected]
    parts += [f"projection {name}" for name in names]
    return ", ".join(parts)


def _arguments(source: KeySource) -> str:
    values = [str(getattr(source, field.name)) for field in fields(source)]
    return f"({', '.join(values)})" if values else ""


def _schedule(schedule: Schedule) -> Iterator[str]:
    yield from _tiles(schedule)
    for number, groups in enumerate(schedule.groups):
        layers = [at for at, kind in enumerate(schedule.group_of_layer) if kind == number]
        yield f"layers {_listed(layers)}"
        for group in groups:
            yield from _group(group, schedule)


def _group(group: Group, schedule: Schedule) -> Iterator[str]:
    yield f"  heads {_listed(list(group.heads))}"
    for number, launch in enumerate(group.passes):
        yield f"    pass {number}: {_treatment(launch)}"
        if launch.classes:
            yield f"      {_classes(launch.classes)}"
        yield f"      {_pairs(launch)}"
        yield f"      {_weight(launch, schedule)}"
        yield from (f"      {line}" for line in _splits(launch))
        for slot, column in enumerate(zip(*launch.scalars, strict=True)):
            yield f"      s{slot} by head: {', '.join(map(str, column))}"


def _classes(classes: HeadClasses) -> str:
    """Which positions i and j count."""
    where = f"in segments of {classes.segment}" if classes.segment else "of the whole sequence"
    offsets = _listed(sorted(set(classes.offsets)))
    which = "all" if classes.residues == classes.stride else f"residues {offsets}"
    return f"i and j count positions {classes.stride} apart, {which} {where}"


def _weight(launch: Pass, schedule: Schedule) -> str:
    """What the closed forms of the first head issue, and how much of that is masked."""
    tiling, classes = launch.tilings[0], _first(launch.classes)
    full, partial = (
        tiles_of(runs, classes, tiling.query_tile, LENGTH) for runs in (tiling.full, tiling.partial)
    )
    products = (full + partial) * schedule.query_tile * schedule.key_tile
    beside = ", and the tiles that tables name" if tiling.products else ""
    tiles = f"{full:,} full and {partial:,} partial tiles"
    return f"at n = {LENGTH:,}: {tiles}, {products:,} products{beside}"


def _splits(launch: Pass) -> Iterator[str]:
    """Which lines are cut for several programs, in how many pieces, and why; or why none are."""
    if launch.classes:
        yield "not split: lines of equal length in every class"
    for split, line, tiles in (
        (launch.split_rows, "query tile", "key tiles"),
        (launch.split_columns, "key tile", "query tiles"),
    ):
        if split is not None:
            yield f"split {_lines(split, line, tiles)}"
    operations = OperandTable().of(launch, Functions()).operations if launch.split_rows else ()
    if any(item.sums or item.scattered for item in operations):
        yield "gradients of score tables are not split: pieces of a row would share its entries"


def _lines(split: Split, line: str, tiles: str) -> str:
    """What is long at an example n, against the median."""
    lines = f"lines of more than {split.limits.line:,} {tiles} at n = {split.n:,}"
    longest = f"the longest {line} visits {split.longest:,}, the median {split.median:,}"
    if split.is_long:
        longest += f": {split.pieces} pieces of {-(-split.longest // split.pieces):,}"
    return f"{lines}: {longest}" + (", and the tiles that tables name" if split.by_tables else "")


def _first(classes: HeadClasses | None) -> Classes | None:
    if classes is None:
        return None
    return Classes(classes.stride, classes.residues, classes.segment, classes.offsets[0])


def _tiling(tiling: Tiling) -> Iterator[str]:
    """Loops over the key tiles b of query tile a."""
    for kind, runs in (("full", tiling.full), ("partial", tiling.partial)):
        for run in runs:
            yield f"{kind:8}{_run(run)}"
    for product in tiling.products:
        for run in product.runs:
            yield f"listed  {_run(run)}"


def _run(run: Interval) -> str:
    start, stop = _TILES.expression(run.start), _TILES.expression(run.stop)
    where = "" if run.guard == TRUE else f" where {_TILES.condition(run.guard)}"
    return f"for {start} <= b < {stop}{where}"


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
