"""Names of several programs in one: which stay, which are shared, which are renamed.

Parameters and run-time inputs keep their names, since calls use them: parameters of one name and
value are one, inputs of one name are one. Lets are renamed where their name is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType

from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    Binding,
    Call,
    CountHeader,
    Let,
    Lift,
    Name,
    Node,
    Otherwise,
    Parameter,
    Program,
    Range,
    Reading,
    Sequence,
    Size,
    Statement,
    StreamRows,
    Unary,
    When,
    nodes_of,
)
from patternc.language.syntax.ast import Comparison as Compared
from patternc.language.syntax.builtins import INDICES, PRIMITIVES, VARIABLES
from patternc.language.syntax.unparse import show_node

_AS_WRITTEN = ("word", "input")
_Change = Callable[[Name, bool], Name]


def with_names_apart(programs: Iterable[Program]) -> tuple[Program, ...]:
    """The programs, no two of which mean two things by one name.

    What is bound alike in an earlier one is left out of the later. Raises `ValueError`.
    """
    operands = tuple(programs)
    free = [_free(program) for program in operands]
    parameters = [_bound(program, Parameter | Size) for program in operands]
    taken: dict[str, Statement] = {}
    used = set().union(*free, *(_bound(program) for program in operands))
    found: list[Program] = []
    for at, program in enumerate(operands):
        inputs, others = (
            set().union(*names[:at], *names[at + 1 :]) for names in (free, parameters)
        )
        found.append(_apart(program, _Names(taken, used, inputs, inputs | others)))
    return tuple(found)


@dataclass(frozen=True)
class _Names:
    """`taken` are bound by earlier programs, `used` anywhere; others bind `free` names nowhere.

    `public` are those and the parameters of others.
    """

    taken: dict[str, Statement]
    used: set[str]
    free: set[str]
    public: set[str]

    def fresh(self, name: str) -> str:
        number = next(k for k in range(2, len(self.used) + 3) if f"{name}_{k}" not in self.used)
        self.used.add(f"{name}_{number}")
        return f"{name}_{number}"


def _apart(program: Program, names: _Names) -> Program:
    renamed: dict[str, str] = {}
    kept: list[Statement] = []
    for statement in program.statements:
        match _renamed_in(statement, renamed):
            case Parameter() | Size() as found:
                if not _is_known(found, names):
                    kept.append(names.taken.setdefault(found.name, found))
            case Let(name, value) as found:
                known = names.taken.get(name)
                if isinstance(known, Let) and known.value == value:
                    continue
                if known is not None or name in names.public:
                    renamed[name] = names.fresh(name)
                    found = replace(found, name=renamed[name])
                kept.append(names.taken.setdefault(found.name, found))
            case found:
                kept.append(found)
    return replace(program, statements=tuple(kept))


def _is_known(found: Parameter | Size, names: _Names) -> bool:
    """Whether an earlier program has the parameter. Raises `ValueError` where it is another."""
    name, known = found.name, names.taken.get(found.name)
    match known, found:
        case _ if known == found:
            return True
        case Parameter(), Parameter():
            left, right = show_node(known.value), show_node(found.value)
            raise ValueError(
                f"both patterns have a `param {name}`, {left} and {right}; give one of them the "
                f"other's value, `Pattern.parse(text, {name}={left})`, or another name"
            )
        case None, _ if name not in names.free:
            return False
        case _:
            raise ValueError(
                f"{name!r} is a parameter or size of one pattern and a name in another; rename the "
                "one in its text"
            )


def _free(program: Program) -> set[str]:
    """Names that nothing in the program binds, run-time inputs among them."""
    bound, found = _bound(program), set[str]()

    def note(name: Name, as_written: bool) -> Name:
        if as_written or name.name not in bound:
            found.add(name.name)
        return name

    for statement in program.statements:
        _changed(statement, note)
        if isinstance(statement, StreamRows):
            found.add(statement.name)
    return found - {*PRIMITIVES, *VARIABLES, *INDICES}


def _bound(program: Program, kind: type | UnionType = object) -> set[str]:
    statements = (s for s in program.statements if isinstance(s, Binding))
    return {statement.name for statement in statements if isinstance(statement, kind)}


def _renamed_in(statement: Statement, names: Mapping[str, str]) -> Statement:
    def rename(name: Name, as_written: bool) -> Name:
        return name if as_written else replace(name, name=names.get(name.name, name.name))

    return _changed(statement, rename) if names else statement


def names_called(program: Program) -> Iterator[str]:
    """The words and names in the expressions of a program."""
    found: list[str] = []

    def note(name: Name, _: bool) -> Name:
        found.append(name.name)
        return name

    for statement in program.statements:
        _changed(statement, note)
    return iter(found)


def _changed(statement: Statement, change: _Change) -> Statement:
    """A statement with its names replaced; `change` is told which are words and inputs."""
    nodes = tuple(_node(node, change) for node in nodes_of(statement))
    match statement, nodes:
        case ((CountHeader() | Parameter() | Let()), (value,)):
            return replace(statement, value=value)
        case ((Bare() | Otherwise()), (pattern,)):
            return replace(statement, pattern=pattern)
        case When(), (condition, pattern):
            return replace(statement, condition=condition, pattern=pattern)
        case _:
            return statement


def _node(node: Node, change: _Change) -> Node:
    match node:
        case Name():
            return change(node, False)
        case Sequence(items):
            return replace(node, items=tuple(_part(item, change) for item in items))
        case Call():
            return _call(node, change)
        case Lift(call, body):
            return replace(node, call=_call(call, change), body=_node(body, change))
        case Unary(_, operand):
            return replace(node, operand=_node(operand, change))
        case Binary(_, left, right):
            return replace(node, left=_node(left, change), right=_node(right, change))
        case Compared(operands):
            return replace(node, operands=tuple(_node(part, change) for part in operands))
        case Reading(name, position):
            return replace(node, name=change(name, True), position=_node(position, change))
        case _:
            return node


def _part(node: Node | Range, change: _Change) -> Node | Range:
    if not isinstance(node, Range):
        return _node(node, change)
    start, stop = (None if end is None else _node(end, change) for end in (node.start, node.stop))
    return replace(node, start=start, stop=stop)


def _call(call: Call, change: _Change) -> Call:
    change(Name(call.function), False)
    arguments = (_argument(call, at, change) for at in range(len(call.arguments)))
    return replace(call, arguments=tuple(arguments))


def _argument(call: Call, at: int, change: _Change) -> Argument:
    argument = call.arguments[at]
    if isinstance(argument.value, Name) and _kind(call.function, at, argument) in _AS_WRITTEN:
        return replace(argument, value=change(argument.value, True))
    return replace(argument, value=_part(argument.value, change))


def _kind(function: str, at: int, argument: Argument) -> str:
    word = PRIMITIVES.get(function)
    if word is None:
        return ""
    placed = word.positional[at] if at < len(word.positional) else word.variadic
    slot = placed if argument.name is None else word.slot(argument.name)
    return slot.kind if slot is not None else ""
