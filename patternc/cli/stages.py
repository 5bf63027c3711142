"""What a program is at each stage, as text: `patternc compile --emit STAGE`.

Converts the value of a stage to human-readable lines. The stages are those of `patternc.pipeline`.
The text cannot be read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import assert_never

from patternc.algebra.intervals import Interval
from patternc.algebra.printer import PLAIN, FormulaPrinter
from patternc.algebra.simplify import TRUE
from patternc.emit.operands import OperandTable
from patternc.emit.text.functions import Functions
from patternc.ir.sources import KeySource, word_of
from patternc.language import show
from patternc.pattern import Pattern
from patternc.pipeline import Stage
from patternc.relation.relation import Branch, Relation
from patternc.schedule.cost_model import LENGTH, tiles_of
from patternc.schedule.residue_classes import Classes
from patternc.schedule.schedule import Group, HeadClasses, Pass, Schedule
from patternc.schedule.work_split import Split
from patternc.tiling.tiling import Tiling

_TILES = FormulaPrinter({"i": "a", "j": "b"})


def stage_text(pattern: Pattern, stage: Stage, layer: int | None) -> str:
    """One stage of a pattern; relations and layouts of one layer, the first by default."""
    match stage:
        case "tree":
            return show(pattern.tree)
        case "program":
            return show(pattern.elaborated)
        case "relation":
            return "\n".join(_relations(pattern.relations(layer or 0))) + "\n"
        case "layout" | "schedule":
            schedule = pattern.schedule(layer)
            lines = _schedule(schedule, stage == "layout")
            return "\n".join(lines) + "\n"
        case "kernel":
            return pattern.compile(layer)
        case _:
            assert_never(stage)


def _relations(relations: tuple[Relation, ...]) -> Iterator[str]:
    """Heads with equal relations together."""
    heads: dict[Relation, list[int]] = {}
    for head, relation in enumerate(relations):
        heads.setdefault(relation, []).append(head)
    for relation, equal in heads.items():
        yield f"heads {_listed(equal)}"
        for number, branch in enumerate(relation.branches):
            yield f"  branch {number}: {_treatment(branch)}"
            yield f"    {{ (i, j) : {PLAIN.condition(branch.predicate)} }}"


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


def _schedule(schedule: Schedule, tiles: bool) -> Iterator[str]:
    yield f"query tiles of {schedule.query_tile} rows, key tiles of {schedule.key_tile} keys"
    for reason in schedule.reasons:
        yield f"  {reason}"
    for number, groups in enumerate(schedule.groups):
        layers = [at for at, kind in enumerate(schedule.group_of_layer) if kind == number]
        yield f"layers {_listed(layers)}"
        for group in groups:
            yield from _group(group, schedule, tiles)


def _group(group: Group, schedule: Schedule, tiles: bool) -> Iterator[str]:
    yield f"  heads {_listed(list(group.heads))}"
    for number, launch in enumerate(group.passes):
        yield f"    pass {number}: {_treatment(launch)}"
        if launch.classes:
            yield f"      {_classes(launch.classes)}"
        yield f"      {{ (i, j) : {PLAIN.condition(launch.predicate)} }}"
        yield f"      {_weight(launch, schedule)}"
        yield from (f"      {line}" for line in _splits(launch))
        for slot, column in enumerate(zip(*launch.scalars, strict=True)):
            yield f"      s{slot} by head: {', '.join(map(str, column))}"
        if tiles:
            for tiling in launch.tilings:
                yield from _tiling(tiling)


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
            yield f"      {kind:8}{_run(run)}"
    for product in tiling.products:
        for run in product.runs:
            yield f"      listed  {_run(run)}"


def _run(run: Interval) -> str:
    start, stop = _TILES.expression(run.start), _TILES.expression(run.stop)
    where = "" if run.guard == TRUE else f" where {_TILES.condition(run.guard)}"
    return f"for {start} <= b < {stop}{where}"


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
