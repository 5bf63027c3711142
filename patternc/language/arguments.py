"""Arguments of a word of the language: which slot each one fills, and whether its kind fits.

From a call to pairs of slot and argument, with every mistake reported. Non-goals: values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from patternc.language.diagnostics import Diagnostic, Mark
from patternc.language.kinds import ARTICLED, Facts, Kind
from patternc.language.names import Scope, input_name
from patternc.language.near import nearest
from patternc.language.primitives import RESERVED, ArgumentKind, Primitive, Slot
from patternc.language.program import (
    Argument,
    Call,
    Name,
    Node,
    Number,
    Range,
    Sequence,
    Unary,
    children,
    walk,
)
from patternc.language.source import Span

Check = Callable[[Node, Scope], Facts]
Filled = tuple[tuple[Slot, Argument], ...]

_EXPECTED: dict[ArgumentKind, tuple[str, frozenset[Kind]]] = {
    "count": ("an integer", frozenset({"integer"})),
    "width": ("an integer", frozenset({"integer"})),
    "number": ("an integer", frozenset({"integer"})),
    "decimal": ("a number", frozenset({"integer", "decimal"})),
    "positions": ("a list, a period or the name of a set", frozenset({"list", "period"})),
    "pool": ("a range `a:b` or a list", frozenset({"list"})),
    "interval": ("a range `a:b`", frozenset()),
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
    "condition": frozenset("ijn"),
}


def fill(call: Call, primitive: Primitive) -> tuple[Filled, tuple[Argument, ...]]:
    """Pairs every argument with its slot; second, the arguments that have none."""
    placed = [argument for argument in call.arguments if argument.name is None]
    filled = list(zip(primitive.placed, placed, strict=False))
    rest = tuple(placed[len(primitive.placed) :])
    if primitive.many is not None:
        filled += [(primitive.many, argument) for argument in rest]
        rest = ()
    for argument in call.arguments:
        slot = primitive.slot(argument.name) if argument.name is not None else None
        if slot is not None:
            filled.append((slot, argument))
    unknown = tuple(a for a in call.arguments if a.name and primitive.slot(a.name) is None)
    return tuple(filled), rest + unknown


def check_arguments(call: Call, primitive: Primitive, scope: Scope, check: Check) -> list[Facts]:
    """The facts of every argument that fits; the others are reported."""
    filled, without = fill(call, primitive)
    for argument in without:
        scope.report(_without_slot(argument, call, primitive))
    for diagnostic in _miscounted(filled, call, primitive):
        scope.report(diagnostic)
    for argument in without:
        _check_idle(argument, scope, check)
    return [check_argument(slot, argument, primitive, scope, check) for slot, argument in filled]


def _check_idle(argument: Argument, scope: Scope, check: Check) -> None:
    """Looks for further mistakes in an argument that has no slot."""
    if not isinstance(argument.value, Range | Name):
        check(argument.value, scope)


def check_argument(
    slot: Slot, argument: Argument, primitive: Primitive, scope: Scope, check: Check
) -> Facts:
    if not slot.lowered:
        scope.report(not_lowered(f"the argument `{slot.name}=`", argument.span))
    value = argument.value
    match slot.kind, value:
        case "word", Name(word) if word in slot.words:
            return Facts("unknown")
        case "word", _:
            return scope.report(_not_a_word(slot, value))
        case "input", Name():
            return _input(value, primitive, scope)
        case "pool", Range():
            return _checked(slot, value.span, _item_facts(value, scope, check), value, scope)
        case "interval", Range():
            return _checked(slot, value.span, _range_facts(value, scope, check), value, scope)
        case "positions", Name(name) if name not in scope.bound and name not in RESERVED:
            held = frozenset({"listed"})
            return Facts("set", held) if input_name(value, scope) else Facts("unknown")
        case _, Range():
            return scope.report(stray_range(value))
        case _:
            return _checked(slot, value.span, check(value, scope), value, scope)


def _input(value: Name, primitive: Primitive, scope: Scope) -> Facts:
    if value.name in scope.bound:
        scope.used.add(value.name)
        return scope.report(_bound_input(value, scope))
    if not input_name(value, scope):
        return Facts("unknown")
    held = {"labels": "same", "listed": "listed", "set": "listed"}.get(primitive.role or "")
    return Facts("set", frozenset({held} if held else ()))


def _checked(slot: Slot, span: Span, facts: Facts, value: Node | Range, scope: Scope) -> Facts:
    expected, kinds = _EXPECTED[slot.kind]
    if facts.kind == "unknown":
        return facts
    if isinstance(value, Range):
        kinds = frozenset({"list"})
    if facts.kind not in kinds:
        return scope.report(_wrong_kind(slot, expected, facts, value))
    stray = facts.positional - _MAY_HOLD.get(slot.kind, frozenset())
    if stray:
        return scope.report(_stray_position(slot, min(stray), value))
    return facts


def list_facts(node: Sequence, scope: Scope, check: Check) -> Facts:
    """A list: integers and ranges of integers."""
    held: frozenset[str] = frozenset()
    for item in node.items:
        held |= _item_facts(item, scope, check).holds
    return Facts("list", held)


def _item_facts(item: Node | Range, scope: Scope, check: Check) -> Facts:
    if not isinstance(item, Range):
        return integer(item, scope, check)
    if _is_empty(item):
        scope.report(_empty_range(item))
    return _range_facts(item, scope, check)


def _is_empty(node: Range) -> bool:
    """Whether it holds nothing at any length, as far as its ends are plain numbers."""
    start, stop = (_literal(end) for end in (node.start, node.stop))
    return start is not None and stop is not None and (start < 0) == (stop < 0) and start >= stop


def _literal(node: Node | None) -> int | None:
    match node:
        case Number(value):
            return value
        case Unary("-", Number(value)):
            return -value
        case _:
            return None


def _empty_range(node: Range) -> Diagnostic:
    return Diagnostic(
        "P203",
        "a range that holds nothing",
        node.span,
        "empty",
        note="`a:b` holds a <= p < b, without b",
        help="write the smaller end first",
        severity="warning",
    )


def _range_facts(node: Range, scope: Scope, check: Check) -> Facts:
    ends = [integer(end, scope, check) for end in children(node) if not isinstance(end, Range)]
    return Facts("list", frozenset().union(*(end.holds for end in ends)))


def integer(node: Node, scope: Scope, check: Check) -> Facts:
    """The facts of an operand that must be an integer."""
    facts = check(node, scope)
    if facts.kind not in ("integer", "unknown"):
        return scope.report(expected_kind("an integer", facts, node.span))
    return facts


def expected_kind(expected: str, facts: Facts, span: Span, advice: str = "") -> Diagnostic:
    """A part of the wrong kind."""
    note = "conditions are not integers" if facts.kind == "condition" else ""
    return Diagnostic(
        "P060",
        f"expected {expected}, found {ARTICLED[facts.kind]}",
        span,
        f"this is {ARTICLED[facts.kind]}",
        note=note,
        help=advice or _advice(expected, facts.kind),
    )


def _advice(expected: str, found: Kind) -> str:
    match expected, found:
        case "an integer", "decimal":
            return "write a whole number; decimals stand only in arguments of modifiers"
        case "an integer", "condition":
            return "compare with numbers, or write two rules `CONDITION -> PATTERN`"
        case "a condition", "integer":
            return "compare it: `x == 0`, say"
        case "a condition", "set":
            return "a condition compares layer, head and parameters, or i, j, n inside `where(..)`"
        case "a pattern", "condition":
            return "a condition over positions becomes a pattern by `where(..)`"
        case "a pattern", "integer":
            return "a window of that many taps each side is `local(..)`"
        case "a pattern", "source":
            return "put a pattern before it: `full on ..`"
        case "a pattern", "modifier":
            return "put a pattern before it: `full with ..`"
        case "a pattern", ("list" | "period"):
            return "key positions are `columns(..)`, query positions `rows(..)`"
        case _:
            return f"write {expected} here"


def not_lowered(what: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P120",
        f"{what} is not yet lowered",
        span,
        "read and checked, but no kernel can be made of it",
        note="nothing in a program is silently ignored",
        help="leave it out",
    )


def stray_range(node: Range) -> Diagnostic:
    return Diagnostic(
        "P061",
        "a range has no place here",
        node.span,
        "a range",
        note="ranges stand in lists, in `pool=` and in `period(l, a:b)`",
        help="write a list, `[a:b]`, where positions are expected",
    )


def _wrong_kind(slot: Slot, expected: str, facts: Facts, value: Node | Range) -> Diagnostic:
    advice = ""
    if slot.kind in ("positions", "order", "pool") and facts.kind == "integer":
        advice = "write a list: `[..]`"
    return expected_kind(expected, facts, value.span, advice)


def _stray_position(slot: Slot, name: str, value: Node | Range) -> Diagnostic:
    inside = next((p for p in walk(value) if p == Name(name)), value)
    if name == "n":
        return Diagnostic(
            "P063",
            f"`{slot.name}` cannot depend on n",
            inside.span,
            "known only at the call",
            note="n stands in `where`, widths, positions and range ends; not in a block, segment, "
            "stride, dilation, period, rate, count, header or condition",
            help="write a number, or bind it with `param`",
        )
    return Diagnostic(
        "P062",
        f"`{name}` outside `where`",
        inside.span,
        "a position, different for every pair" if isinstance(inside, Name) else f"holds {name}",
        note="i and j stand only in `where(..)`",
        help="say the relation as a condition: `where(..)`",
    )


def _not_a_word(slot: Slot, value: Node | Range) -> Diagnostic:
    words = " or ".join(f"`{word}`" for word in slot.words)
    near = nearest(value.name, slot.words) if isinstance(value, Name) else None
    return Diagnostic(
        "P055",
        f"`{slot.name}` is {words}",
        value.span,
        "not one of them",
        help=f"did you mean `{near}`?" if near else f"write {words}",
    )


def _bound_input(value: Name, scope: Scope) -> Diagnostic:
    return Diagnostic(
        "P047",
        f"`{value.name}` is bound, so it is no run-time input",
        value.span,
        "expected the name of a tensor given at the call",
        note="a bound name stands for its value everywhere",
        help="choose a name that the program does not bind",
        marks=(Mark(scope.places[value.name], "bound here"),),
    )


def _without_slot(argument: Argument, call: Call, primitive: Primitive) -> Diagnostic:
    if argument.name is None:
        return Diagnostic(
            "P050",
            f"too many arguments for `{primitive.name}`",
            argument.span,
            "one too many",
            note=f"written `{primitive.usage()}`",
            help=_by_name(primitive),
        )
    near = nearest(argument.name, (slot.name for slot in primitive.named))
    return Diagnostic(
        "P051",
        f"`{primitive.name}` has no argument `{argument.name}`",
        argument.span,
        "unknown argument",
        note=f"written `{primitive.usage()}`",
        help=f"did you mean `{near}=`?" if near else "leave it out",
    )


def _by_name(primitive: Primitive) -> str:
    names = ", ".join(f"`{slot.name}=`" for slot in primitive.named)
    return f"further arguments are given by name: {names}" if names else "leave it out"


def _miscounted(filled: Filled, call: Call, primitive: Primitive) -> Iterator[Diagnostic]:
    """Slots that are required and empty, or filled twice."""
    first: dict[str, Argument] = {}
    for slot, argument in filled:
        if slot is primitive.many:
            continue
        if slot.name in first:
            yield _twice(argument, first[slot.name])
        first.setdefault(slot.name, argument)
    for slot in (*primitive.placed, *primitive.named):
        if slot.required and slot.name not in first:
            yield missing(primitive, slot.name, call.span)
    if primitive.many is not None and primitive.group == "combination" and not call.arguments:
        yield missing(primitive, primitive.many.name, call.span)


def _twice(argument: Argument, first: Argument) -> Diagnostic:
    return Diagnostic(
        "P052",
        f"`{argument.name}` is given twice",
        argument.span,
        "given again",
        help="leave one of them out",
        marks=(Mark(first.span, "first given here"),),
    )


def missing(primitive: Primitive, name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        "P053",
        f"`{primitive.name}` needs `{name}`",
        span,
        "an argument is missing",
        note=f"written `{primitive.usage()}`",
        help=f"write `{primitive.usage()}`",
    )


def excluded(first: Argument, second: Argument, advice: str) -> Diagnostic:
    """Two arguments of which only one may be given."""
    return Diagnostic(
        "P054",
        "these arguments exclude each other",
        second.span,
        "not together with the other",
        help=advice,
        marks=(Mark(first.span, "given here"),),
    )
