"""Kinds of every statement, in order: what is bound, what each rule depends on.

Converts a tree to the statements that are sound, and to what is worth looking at for values: all of
a sound rule, and the sound relations of a rule at fault. So one run finds mistakes of both sorts. A
statement that uses a name whose binding is at fault is not sound either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from patternc.frozen import frozen
from patternc.language.check.lists import integer
from patternc.language.check.program_structure import ProgramStructure
from patternc.language.check.readings import names_compared, names_read, outside, readings_below
from patternc.language.check.scope import Scope, bind, scope_of
from patternc.language.check.typecheck import check, check_header_call, check_rule, expect
from patternc.language.check.types import (
    UNKNOWN,
    TypeInfo,
    as_written,
    expected_type,
    is_known_at_calls,
    of_size,
    size_in,
)
from patternc.language.syntax.ast import (
    Bare,
    Binding,
    Call,
    CallHeader,
    CountHeader,
    FlagHeader,
    Let,
    Lift,
    Name,
    Node,
    Number,
    Otherwise,
    Parameter,
    Program,
    Range,
    Rule,
    Sequence,
    Size,
    Stage,
    Statement,
    StreamRows,
    Unary,
    When,
    children,
    nodes_of,
    walk,
)
from patternc.language.syntax.diagnostics import Diagnostic, Findings
from patternc.language.syntax.limits import PARTS, WRITTEN_NESTING
from patternc.language.syntax.messages import diagnostic

# What a plain number of a list costs, beside other parts.
_NUMBERS_IN_A_PART = 8
_LET_KINDS = ("integer", "condition", "set", "output", "list", "period", "unknown")


@frozen
class RuleToCheck:
    """A rule to be looked at for values: its condition, its sound parts, what it depends on.

    `size` is that of its parts with their lets written out; `rows` is whose rows it is for, empty
    for the tokens'.
    """

    rule: Rule
    parts: tuple[Node, ...]
    varies: frozenset[str]
    size: int
    rows: str = ""


@dataclass(slots=True)
class CheckedStatements:
    """`sound` statements and `looks`, in order; `tainted` names are bound by others."""

    sound: list[Statement] = field(default_factory=list)
    looks: list[RuleToCheck] = field(default_factory=list)
    tainted: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)

    def sound_part(self, program: Program) -> Program:
        return replace(program, statements=tuple(self.sound))


def check_statements(
    program: Program, arrangement: ProgramStructure, findings: Findings
) -> tuple[CheckedStatements, Scope]:
    scope, checked = scope_of(program, findings), CheckedStatements()
    scope.read, scope.compared = names_read(program), names_compared(program)
    written = set(map(id, program.statements))
    implied = [rule for rule in arrangement.rules if id(rule) not in written]
    misplaced = set(map(id, arrangement.misplaced))
    for statement in (*program.statements, *implied):
        if id(statement) in misplaced:
            continue
        before = findings.count
        facts = _check_statement(statement, scope)
        _check_size(statement, facts, checked, findings)
        sound = findings.count == before and not _mentions(statement, checked.tainted)
        if sound and id(statement) in written:
            checked.sound.append(statement)
        elif isinstance(statement, Binding):
            checked.tainted.add(statement.name)
        if isinstance(statement, Bare | When | Otherwise):
            rows = arrangement.section_of(statement) or ""
            checked.looks.append(_look(statement, rows, sound, facts, scope, checked))
    return checked, scope


def _look(
    rule: Rule, rows: str, sound: bool, facts: TypeInfo, scope: Scope, checked: CheckedStatements
) -> RuleToCheck:
    """All of a sound rule; else the relations in it that are sound by themselves."""
    if sound:
        varies = facts.holds & {"layer", "head"}
        return RuleToCheck(rule, (rule.pattern,), varies, _size(rule.pattern, checked.sizes), rows)
    relations = [part for part in walk(rule.pattern) if isinstance(part, Call | Lift)]
    parts = tuple(
        part
        for part in relations
        if id(part) in scope.sound and not names_in(part, checked.tainted)
    )
    size = sum(_size(part, checked.sizes) for part in parts)
    return RuleToCheck(rule, parts, frozenset({"layer", "head"}), size, rows)


def _check_statement(statement: Statement, scope: Scope) -> TypeInfo:
    match statement:
        case CountHeader(name, value):
            facts = _fixed(value, f"the header `{name}`", scope)
            scope.headers.add(name)
            return facts
        case CallHeader():
            check_header_call(statement, scope)
        case Parameter(_, value):
            bind(statement, _fixed(value, "a parameter", scope), scope)
        case Size(name):
            bind(statement, TypeInfo("integer", frozenset({of_size(name)})), scope)
        case Let():
            facts = _let(statement, scope)
            bind(statement, facts, scope)
            return facts
        case Bare(pattern) | Otherwise(pattern):
            return check_rule(pattern, scope)
        case When(condition, pattern):
            return _when(condition, pattern, scope)
        case FlagHeader() | StreamRows() | Stage():
            pass
    return UNKNOWN


def _let(statement: Let, scope: Scope) -> TypeInfo:
    facts = check(statement.value, scope)
    if facts.kind not in _LET_KINDS:
        return scope.report(expected_type("a value or a pattern", facts, statement.value.span))
    return facts


def _when(condition: Node, pattern: Node, scope: Scope) -> TypeInfo:
    before = scope.findings.count
    tested = expect("condition", "a condition", condition, scope)
    if tested.positional:
        scope.report(_positional_condition(condition, min(tested.positional)))
    if scope.findings.count != before:
        scope.unsound.add(id(condition))
    facts = check_rule(pattern, scope)
    return TypeInfo(facts.kind, tested.holds | facts.holds)


def _fixed(value: Node, what: str, scope: Scope) -> TypeInfo:
    """An integer that is the same for every layer and head."""
    facts = integer(value, scope, check)
    varying = facts.positional | facts.holds & {"layer", "head"}
    if varying:
        return scope.report(_varying(value, what, min(varying)))
    return facts


def _mentions(statement: Statement, names: set[str]) -> bool:
    return any(names_in(root, names) for root in nodes_of(statement))


def names_in(node: Node, names: set[str]) -> bool:
    return any(isinstance(part, Name) and part.name in names for part in walk(node))


def _check_size(
    statement: Statement, facts: TypeInfo, checked: CheckedStatements, findings: Findings
) -> None:
    size = sum(_size(root, checked.sizes) for root in nodes_of(statement))
    depth = max((_depth(root, checked.depths) for root in nodes_of(statement)), default=0)
    if isinstance(statement, Let):
        plain = facts.kind == "integer" and not facts.positional
        # What is beyond a limit is reported once, not at every later use.
        checked.sizes[statement.name] = 1 if plain or size > PARTS else size
        checked.depths[statement.name] = 1 if depth > WRITTEN_NESTING else depth
    if size > PARTS:
        findings.add(_too_large(statement))
    if depth > WRITTEN_NESTING:
        findings.add(_too_deep(statement))


def _depth(node: Node | Range, depths: Mapping[str, int]) -> int:
    """How many levels a node has once its lets are written out."""
    if isinstance(node, Name):
        return depths.get(node.name, 1)
    return 1 + max((_depth(child, depths) for child in children(node)), default=0)


def _size(node: Node, sizes: Mapping[str, int]) -> int:
    """How many parts a node has once its lets are written out; plain numbers of lists are small."""
    size, waiting = 0, [node]
    while waiting:
        part = waiting.pop()
        below = list(children(part))
        if isinstance(part, Sequence):
            below = [item for item in part.items if not _is_plain(item)]
            size += (len(part.items) - len(below)) // _NUMBERS_IN_A_PART
        size += sizes.get(part.name, 1) if isinstance(part, Name) else 1 + len(below)
        waiting += below  # type: ignore[arg-type]
    return size


def _is_plain(item: Node | Range) -> bool:
    ends = children(item) if isinstance(item, Range) else (item,)
    return all(isinstance(end, Number) or _is_negative(end) for end in ends)


def _is_negative(node: Node | Range) -> bool:
    return isinstance(node, Unary) and isinstance(node.operand, Number)


def _too_large(statement: Statement) -> Diagnostic:
    return diagnostic("P111.too_large", statement.span, most=PARTS)


def _too_deep(statement: Statement) -> Diagnostic:
    return diagnostic("P133.too_deep", statement.span, most=WRITTEN_NESTING)


def _place_of(name: str, value: Node) -> Node:
    """Where the name appears in the text, or the whole value if it comes from a let."""
    word = size_in(name) or name
    named = (part for part in walk(value) if isinstance(part, Name) and part.name == word)
    return next(named, value)


def _varying(value: Node, what: str, name: str) -> Diagnostic:
    if read := next(readings_below(value), None):
        return outside(read)
    span = _place_of(name, value).span
    return diagnostic("P063.varying", span, what=what, name=as_written(name))


def _positional_condition(condition: Node, name: str) -> Diagnostic:
    late = is_known_at_calls(name)
    if not late and (read := next(readings_below(condition), None)):
        return outside(read)
    code, span = "P063" if late else "P062", _place_of(name, condition).span
    return diagnostic(f"{code}.rule_condition", span, name=as_written(name))
