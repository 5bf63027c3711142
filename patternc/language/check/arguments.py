"""Arguments of a word of the language: which slot each one fills, and whether its kind fits.

Converts a call to pairs of slot and argument, with every mistake reported. Does not evaluate
values.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.ir.builtin_words import ArgumentKind, Builtin, BuiltinParameter
from patternc.language.check.argument_errors import (
    bound_input,
    given_twice,
    missing,
    not_a_word,
    stray_position,
    stray_range,
    without_slot,
    wrong_kind,
)
from patternc.language.check.lists import item_facts, range_facts
from patternc.language.check.scope import Check, Scope, input_name
from patternc.language.check.types import ExprType, TypeInfo, size_in
from patternc.language.syntax.ast import Argument, Call, Name, Node, Range
from patternc.language.syntax.builtins import RESERVED
from patternc.language.syntax.diagnostics import Diagnostic

Filled = tuple[tuple[BuiltinParameter, Argument], ...]

_EXPECTED: dict[ArgumentKind, tuple[str, frozenset[ExprType]]] = {
    "count": ("an integer", frozenset({"integer"})),
    "width": ("an integer", frozenset({"integer"})),
    "number": ("an integer", frozenset({"integer"})),
    "decimal": ("a number", frozenset({"integer", "decimal"})),
    "positions": ("a list, a period or the name of a set", frozenset({"list", "period"})),
    "pool": ("a range `a:b` or a list", frozenset({"list"})),
    "interval": ("a range `a:b`", frozenset()),
    "part": ("a range `a:b`", frozenset()),
    "distances": ("a list, `powers(b)` or the name of a list", frozenset({"list", "distances"})),
    "order": ("a list of integers", frozenset({"list"})),
    "condition": ("a condition", frozenset({"condition"})),
    "set": ("a pattern", frozenset({"set"})),
    "branch": ("a pattern", frozenset({"set", "output"})),
    "word": ("a word", frozenset()),
    "input": ("the name of a run-time input", frozenset()),
}
# Which positional names an argument may hold; all others are known before n is.
_MAY_HOLD: dict[ArgumentKind, frozenset[str]] = {
    "width": frozenset("n"),
    "number": frozenset("ijn"),
    "positions": frozenset("n"),
    "pool": frozenset("n"),
    "part": frozenset("n"),
    "condition": frozenset("ijn"),
}
# Which may hold a size of the call, beside n.
_SIZED: frozenset[ArgumentKind] = frozenset({"width", "number", "positions", "part", "condition"})


def fill(call: Call, primitive: Builtin) -> tuple[Filled, tuple[Argument, ...]]:
    """Pairs every argument with its slot; second, the arguments that have none."""
    placed = [argument for argument in call.arguments if argument.name is None]
    filled = list(zip(primitive.positional, placed, strict=False))
    rest = tuple(placed[len(primitive.positional) :])
    if primitive.variadic is not None:
        filled += [(primitive.variadic, argument) for argument in rest]
        rest = ()
    for argument in call.arguments:
        slot = primitive.slot(argument.name) if argument.name is not None else None
        if slot is not None:
            filled.append((slot, argument))
    unknown = tuple(a for a in call.arguments if a.name and primitive.slot(a.name) is None)
    return tuple(filled), rest + unknown


def check_arguments(call: Call, primitive: Builtin, scope: Scope, check: Check) -> list[TypeInfo]:
    """The facts of every argument that fits; the others are reported."""
    filled, without = fill(call, primitive)
    for argument in without:
        scope.report(without_slot(argument, primitive))
    for diagnostic in _miscounted(filled, call, primitive):
        # What is missing is likely there, under another name.
        if diagnostic.code != "P053" or not without:
            scope.report(diagnostic)
    for argument in without:
        _check_idle(argument, scope, check)
    return [check_argument(slot, argument, scope, check) for slot, argument in filled]


def _check_idle(argument: Argument, scope: Scope, check: Check) -> None:
    """Looks for further mistakes in an argument that has no slot."""
    if not isinstance(argument.value, Range | Name):
        check(argument.value, scope)


def check_argument(
    slot: BuiltinParameter, argument: Argument, scope: Scope, check: Check
) -> TypeInfo:
    value = argument.value
    match slot.kind, value:
        case "word", Name(word) if word in slot.words:
            return TypeInfo("unknown")
        case "word", _:
            return scope.report(not_a_word(slot, value))
        case "input", Name():
            return _input(value, slot, scope)
        case "pool" | "part", Range():
            return _checked(slot, item_facts(value, scope, check), value, scope)
        case "interval", Range():
            return _checked(slot, range_facts(value, scope, check), value, scope)
        case "positions" | "distances", Name(name) if (
            name not in scope.bound and name not in RESERVED
        ):
            held = frozenset({"listed"})
            return TypeInfo("set", held) if input_name(value, scope) else TypeInfo("unknown")
        case _, Range():
            return scope.report(stray_range(value))
        case _:
            return _checked(slot, check(value, scope), value, scope)


def _input(value: Name, slot: BuiltinParameter, scope: Scope) -> TypeInfo:
    if value.name in scope.bound:
        scope.used.add(value.name)
        return scope.report(bound_input(value, scope))
    if not input_name(value, scope):
        return TypeInfo("unknown")
    held = {"labels": "same", "integers": "same", "listed": "listed", "set": "listed"}.get(
        slot.role or ""
    )
    return TypeInfo("set", frozenset({held} if held else ()))


def _checked(
    slot: BuiltinParameter, facts: TypeInfo, value: Node | Range, scope: Scope
) -> TypeInfo:
    expected, kinds = _EXPECTED[slot.kind]
    if facts.kind == "unknown":
        return facts
    if isinstance(value, Range):
        kinds = frozenset({"list"})
    if facts.kind not in kinds:
        return scope.report(wrong_kind(slot, expected, facts, value))
    may_hold = _MAY_HOLD.get(slot.kind, frozenset())
    sizes = slot.kind in _SIZED
    stray = {name for name in facts.positional - may_hold if not (sizes and size_in(name))}
    if stray:
        return scope.report(stray_position(slot, min(stray), value))
    return facts


def _miscounted(filled: Filled, call: Call, primitive: Builtin) -> Iterator[Diagnostic]:
    """Slots that are required and empty, or filled twice."""
    first: dict[str, Argument] = {}
    for slot, argument in filled:
        if slot is primitive.variadic:
            continue
        if slot.name in first:
            yield given_twice(argument, first[slot.name])
        first.setdefault(slot.name, argument)
    for slot in (*primitive.positional, *primitive.keyword):
        if slot.required and slot.name not in first:
            yield missing(primitive, slot.name, call.span)
    branches = sum(slot is primitive.variadic for slot, _ in filled)
    if primitive.variadic is not None and primitive.group == "combination" and not branches:
        yield missing(primitive, primitive.variadic.name, call.span)
