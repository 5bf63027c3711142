"""Printed functions, each text once.

Converts predicates, tile runs and listings to named Python functions. Does not decide which head
uses which function.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from patternc.algebra.queries import variables_of
from patternc.algebra.simplify import TRUE, conjunction
from patternc.emit.text.bounds import Bounded, Either, printed
from patternc.emit.text.expressions import (
    POSITIONS,
    PYTHON,
    TILES,
    TORCH,
    TRITON,
    Names,
    Printer,
    simplified,
)
from patternc.emit.text.layout import WIDTH, Call, Items, Keyword, Lambda, Leaf, Text, statement
from patternc.emit.text.subexpressions import aliases
from patternc.emit.text.visible_keys import printed_seen, printed_sees
from patternc.ir.formula import All, Condition, Expression
from patternc.ir.terms import Listing, PositionRange
from patternc.tiling.tiling import Interval


@dataclass(slots=True)
class Functions:
    """Function texts by name, in the order of their first use."""

    texts: dict[str, str] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def named(self, kind: str, text: str) -> str:
        """The name of a function whose text holds `NAME` for it; equal texts share one."""
        key = kind, text
        if key not in self.names:
            number = sum(1 for other, _ in self.names if other == kind)
            self.names[key] = kind.replace("#", str(number))
            self.texts[self.names[key]] = text.replace("NAME", self.names[key], 1)
        return self.names[key]

    def predicate(
        self, value: Condition, scalars: int, tables: int, kind: str, sourced: bool = False
    ) -> str:
        """`kind(i, j, n, s0, .., table0, ..)` over torch tensors; n holds n and m if `sourced`."""
        extra = [f"s{slot}" for slot in range(scalars)] + [f"table{k}" for k in range(tables)]
        body = f"{_unpacked(sourced)}{_body(value, Printer(TORCH))}"
        return self.named(kind, f"{head_of(['i', 'j', 'n', *extra], body)}\n{body}")

    def kernel_predicate(
        self, value: Bounded | Either, parameters: list[str], wide: bool, kind: str
    ) -> str:
        """The same over blocks of a Triton kernel, in 64-bit integers if `wide`."""
        names = ", ".join("ijnm"), ", ".join(f"{name}.to(tl.int64)" for name in "ijnm")
        widened = f"    {names[0]} = {names[1]}\n" if wide else ""
        shared = aliases(conjunction(value.conditions()))
        asked = printed(value, Printer(TRITON, POSITIONS, shared))
        body = widened + assignments(shared, Printer(TRITON)) + statement(asked, "return ", 4)
        head = head_of(["i", "j", "n", "m", *parameters], body)
        return self.named(kind, f"@_jit\n{head}\n{body}")

    def seen_predicate(
        self, items: tuple[Bounded, ...], parameters: list[str], wide: bool, kind: str
    ) -> str:
        """`kind(low, high, j, n, m, ..)`: may a row of low .. high see key j? In a kernel."""
        known = ["low", "high", "j", "n", "m"]
        return self._seen(printed_seen(items), known, {}, parameters, wide, kind)

    def sees_predicate(
        self, items: tuple[Bounded, ...], parameters: list[str], wide: bool, kind: str
    ) -> str:
        """`kind(i, n, m, ..)`: may row i see a key? In a kernel."""
        ends = {"low": "0", "high": "m - 1"}
        return self._seen(printed_sees(items), ["i", "n", "m"], ends, parameters, wide, kind)

    def _seen(
        self,
        condition: Text,
        known: list[str],
        ends: Mapping[str, str],
        parameters: list[str],
        wide: bool,
        kind: str,
    ) -> str:
        lines = [f"    {name} = {name}.to(tl.int64)\n" for name in known] if wide else []
        asked = statement(condition, "return ", 4)
        used = set(re.findall(r"[A-Za-z_]\w*", asked))
        lines += [f"    {name} = {end}\n" for name, end in ends.items() if name in used]
        body = f"{''.join(lines)}{asked}"
        return self.named(kind, f"@_jit\n{head_of([*known, *parameters], body)}\n{body}")

    def runs(
        self, runs: tuple[Interval, ...], kind: str, sourced: bool = False, names: Names = TILES
    ) -> str:
        """`kind(a, n)`: a list of `_Run`s; or of key tiles b, with the names of columns."""
        listed = Items(tuple(_run(run, names) for run in runs), square=True)
        body = f"{_unpacked(sourced)}{statement(listed, 'return ', 4)}"
        return self.named(kind, f"{head_of([names.variables['i'], 'n'], body)}\n{body}")

    def ranges(self, listing: Listing, kind: str) -> str:
        """`kind(n)`: the ranges of a listing as (start, stop) or (position,)."""
        listed = Items(tuple(map(_range, listing.ranges)), square=True)
        body = statement(listed, "return ", 4)
        return self.named(kind, f"{head_of(['n'], body)}\n{body}")


def head_of(parameters: list[str], body: str) -> str:
    """The line of a definition; callers give all parameters by place, also those it ignores."""
    used = set(re.findall(r"[A-Za-z_]\w*", body))
    named = ", ".join(name if name in used else f"_{name}" for name in parameters)
    line = f"def NAME({named}):"
    # Names of functions have a few letters more.
    return line if len(line) + 24 <= WIDTH else f"def NAME(\n    {named},\n):  # fmt: skip"


def _unpacked(sourced: bool) -> str:
    """The lengths of a pass over another source: n positions, m slots."""
    return "    n, m = n\n" if sourced else ""


def _body(value: Condition, printer: Printer) -> str:
    """Names for what occurs more than once, then the condition."""
    value = simplified(value)
    shared = aliases(value)
    named = Printer(printer.dialect, POSITIONS, shared)
    return assignments(shared, printer) + statement(named.condition(value), "return ", 4)


def assignments(shared: Mapping[Expression, str], printer: Printer) -> str:
    """Assignments of the names."""
    ordered = sorted(shared.items(), key=lambda item: item[1])
    lines = [statement(printer.expression(part), f"{name} = ", 4) for part, name in ordered]
    return "".join(f"{line}\n" for line in lines)


def _run(run: Interval, names: Names) -> Text:
    """A run with the part of its guard that concerns rows, and the part that drops tiles."""
    printer, guard = Printer(TORCH, names), simplified(run.guard)
    row, tile = names.variables["i"], names.variables["j"]
    arguments: list[Text] = [Leaf(row), printer.expression(run.start), printer.expression(run.stop)]
    items = guard.items if isinstance(guard, All) else (guard,)
    rows = conjunction(item for item in items if "j" not in variables_of(item))
    tiles = conjunction(item for item in items if "j" in variables_of(item))
    if rows != TRUE:
        arguments.append(Keyword("guard", printer.condition(rows)))
    if tiles != TRUE:
        used = variables_of(tiles)
        names_ = (name if variable in used else "_" for variable, name in (("i", row), ("j", tile)))
        arguments.append(Keyword("where", Lambda(", ".join(names_), printer.condition(tiles))))
    return Call("_run", tuple(arguments))


def _range(part: PositionRange) -> Text:
    printer = Printer(PYTHON)

    def end(value: Expression | None) -> Text:
        return Leaf("None") if value is None else printer.expression(value)

    return Items((end(part.start),) if part.single else (end(part.start), end(part.stop)))
