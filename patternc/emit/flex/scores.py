"""Score modifiers as text of a `score_mod`: a function of one score and its two positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from patternc.emit.operands import ORDER
from patternc.emit.text.layout import Call, Items, Keyword, Leaf, Text, quoted
from patternc.ir.modifiers import (
    Absolute,
    Alibi,
    Bias,
    DistanceAware,
    Modifier,
    Relative,
    Rotary,
    Scale,
    Sink,
    SoftCap,
    SoftSpan,
    T5Bias,
    XlRelative,
)
from patternc.schedule.schedule import Group, Pass


@dataclass(frozen=True, slots=True)
class Scored:
    """Branches of a group with the same modifiers of scores, in the order in which they apply."""

    modifiers: tuple[Modifier, ...]
    branches: tuple[Pass, ...]

    @property
    def counts(self) -> bool:
        """May a pair count more than once?"""
        return len(self.branches) > 1 or self.branches[0].multiplicity > 1


def scored(group: Group) -> tuple[Scored, ...]:
    found: dict[tuple[Modifier, ...], list[Pass]] = {}
    for item in group.branches:
        kinds = {type(modifier): modifier for modifier in item.modifiers}
        chosen = tuple(kinds[kind] for kind in ORDER if kind in kinds)
        found.setdefault(chosen, []).append(item)
    return tuple(Scored(modifiers, tuple(items)) for modifiers, items in found.items())


def scale_of(item: Pass) -> float | None:
    """What products are scaled by, where the pattern says it."""
    return next((each.value for each in item.modifiers if isinstance(each, Scale)), None)


def has_sink(group: Group) -> bool:
    return any(isinstance(each, Sink) for item in group.branches for each in item.modifiers)


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A table that a score function looks into: `text` makes it of the inputs."""

    kind: str
    inputs: tuple[str, ...]
    text: Text


def tables_of(modifier: Modifier) -> tuple[ScoreTable, ...]:
    match modifier:
        case Alibi():
            return (_table("alibi"),)
        case DistanceAware():
            return _table("head", "distance_alpha"), _table("head", "distance_beta")
        case SoftSpan(_, name):
            return (_table("head", name),)
        case T5Bias(buckets, most, both, name):
            sizes = [Keyword("low", Leaf(str(most))), Keyword("buckets", Leaf(str(buckets)))]
            sides = [] if both else [Keyword("both_sides", Leaf("False"))]
            return (_table("t5", name, *sizes, *sides),)
        case Bias(name):
            return (_table("bias", name),)
        case SoftCap():
            return ()
        case Relative() | XlRelative() | Absolute() | Rotary() | Scale() | Sink():
            raise TypeError(f"{type(modifier).__name__} is not a function of a score")
        case _:
            assert_never(modifier)


def _table(kind: str, name: str = "", *more: Text) -> ScoreTable:
    inputs = (name,) if name else ()
    named = [Items(tuple(map(quoted, inputs)))] if inputs else []
    return ScoreTable(kind, inputs, Call("_Table", (quoted(kind), *named, *more)))


def line_of(modifier: Modifier, tables: tuple[str, ...]) -> str:
    """The statement that changes `score`; `distance` is j - i."""
    match modifier:
        case Alibi():
            return f"score = score - {tables[0]}[h] * distance.abs()"
        case DistanceAware():
            alpha, beta = (f"{table}[h]" for table in tables)
            return f"score = _distance_aware(score, {alpha}, {beta}, distance)"
        case SoftCap(cap):
            return f"score = {cap} * torch.tanh(score / {cap})"
        case SoftSpan(ramp):
            return f"score = _soft_span(score, {tables[0]}[h], distance, {ramp})"
        case T5Bias(_, most):
            return f"score = score + {tables[0]}[h, distance.clamp(-{most}, {most}) + {most}]"
        case Bias():
            return f"score = score + _entry({tables[0]}, b, h, q_idx, kv_idx)"
        case Relative() | XlRelative() | Absolute() | Rotary() | Scale() | Sink():
            raise TypeError(f"{type(modifier).__name__} is not a function of a score")
        case _:
            assert_never(modifier)
