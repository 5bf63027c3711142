"""Python expressions as trees, laid out on lines of at most 100 columns.

Converts operators and calls to text with the fewest brackets; what does not fit is broken before
its loosest operators, one operand a line. Does not interpret the text.
"""

from __future__ import annotations

from collections.abc import Iterator

from patternc.frozen import frozen

WIDTH = 100
# Python's binding strength, loosest first.
COMPARISON, OR, AND, SUM, PRODUCT, UNARY, TIGHT = range(7)
_BRACKETS = {False: ("(", ")"), True: ("[", "]")}


@frozen
class Leaf:
    """A name, a number, or any text that needs no brackets."""

    text: str


@frozen
class Chain:
    """Operands of operators of one strength: `first operator operand operator operand ..`."""

    strength: int
    first: Text
    rest: tuple[tuple[str, Text], ...]


@frozen
class Prefixed:
    operator: str
    operand: Text


@frozen
class Call:
    function: str
    arguments: tuple[Text, ...]


@frozen
class Method:
    """`target.name(argument)`."""

    target: Text
    name: str
    arguments: tuple[Text, ...]


@frozen
class Keyword:
    """`name=value` among the arguments of a call."""

    name: str
    value: Text


@frozen
class Items:
    """A tuple, or with square brackets a list."""

    items: tuple[Text, ...]
    square: bool = False


@frozen
class Lambda:
    parameters: str
    body: Text


def quoted(word: str) -> Leaf:
    """A string without anything to escape."""
    return Leaf(f'"{word}"')


Text = Leaf | Chain | Prefixed | Call | Method | Keyword | Items | Lambda


def declarations(text: Text) -> Iterator[str]:
    """The functions that are called in a text, and `name=` for each keyword."""
    for part in _parts(text):
        match part:
            case Call(function):
                yield function
            case Keyword(name):
                yield f"{name}="


def _parts(text: Text) -> Iterator[Text]:
    """The text and all that it is made of."""
    yield text
    for child in children(text):
        yield from _parts(child)


def children(text: Text) -> tuple[Text, ...]:
    match text:
        case Leaf():
            return ()
        case Chain(_, first, rest):
            return (first, *(operand for _, operand in rest))
        case Prefixed(_, operand):
            return (operand,)
        case Call(_, arguments):
            return arguments
        case Method(target, _, arguments):
            return (target, *arguments)
        case Keyword(_, value):
            return (value,)
        case Items(items):
            return items
        case Lambda(_, body):
            return (body,)


def strength(text: Text) -> int:
    match text:
        case Chain(level):
            return level
        case Prefixed():
            return UNARY
        case Leaf(word) if word.startswith("-"):
            return UNARY
        case _:
            return TIGHT


def flat(text: Text) -> str:
    """The text on one line."""
    match text:
        case Leaf(word):
            return word
        case Chain(level, first, rest):
            tail = "".join(f" {operator} {_inside(operand, level)}" for operator, operand in rest)
            return _head(first, level) + tail
        case Prefixed(operator, operand):
            return operator + _inside(operand, UNARY)
        case Call(function, arguments):
            return f"{function}({', '.join(map(flat, arguments))})"
        case Method(target, name, arguments):
            return f"{_inside(target, UNARY)}.{name}({', '.join(map(flat, arguments))})"
        case Keyword(name, value):
            return f"{name}={flat(value)}"
        case Lambda(parameters, body):
            return f"lambda {parameters}: {flat(body)}"
        case Items(items, square):
            opening, closing = _BRACKETS[square]
            comma = "," if len(items) == 1 and not square else ""
            return f"{opening}{', '.join(map(flat, items))}{comma}{closing}"


def _inside(operand: Text, level: int) -> str:
    """Right of an operator, and below a prefix, equal strength needs brackets."""
    return flat(operand) if strength(operand) > level else f"({flat(operand)})"


def _head(operand: Text, level: int) -> str:
    """Left of an operator equal strength needs none, except that comparisons do not chain."""
    bare = strength(operand) > level or (strength(operand) == level != COMPARISON)
    return flat(operand) if bare else f"({flat(operand)})"


def laid_out(text: Text, prefix: str, indent: int, suffix: str = "") -> str:
    """`prefix text suffix` at `indent` columns; the first line carries its indent too."""
    line = " " * indent + prefix + flat(text) + suffix
    if len(line) <= WIDTH:
        return line
    match text:
        case Call(function, arguments):
            return _broken_call(f"{prefix}{function}", arguments, indent, suffix)
        case Chain():
            return _hugged(text, prefix, indent, suffix) or _bracketed(text, prefix, indent, suffix)
        case Keyword(name, value):
            return laid_out(value, f"{prefix}{name}=", indent, suffix)
        case Lambda(parameters, Chain() as body):
            return _bracketed(body, f"{prefix}lambda {parameters}: ", indent, suffix)
        case Items(items, square):
            opening, closing = _BRACKETS[square]
            return _one_a_line(prefix + opening, items, indent, closing + suffix)
        case _:
            return line


def statement(text: Text, prefix: str, indent: int) -> str:
    """The same for a statement. Where a chain of operators is broken, one operand a line, `ruff
    format` is told to leave it so: it would fill lines, and break inside of operands.
    """
    lines = laid_out(text, prefix, indent)
    broken = "\n" in lines and (isinstance(text, Chain) or _is_cut(text, lines))
    return f"{lines}  # fmt: skip" if broken else lines


def _is_cut(text: Text, lines: str) -> bool:
    """Is a chain of operators inside of it broken?"""
    return any(isinstance(part, Chain) and flat(part) not in lines for part in _parts(text))


def _hugged(text: Chain, prefix: str, indent: int, suffix: str) -> str:
    """One loosest operator, and a bracketed last operand: only those brackets are broken."""
    line, margin = prefix + flat(text), " " * indent
    last: Text = text
    while isinstance(last, Chain) and not flat(text).endswith(f"({flat(last)})"):
        last = last.rest[-1][1]
    if len(text.rest) > 1 or not isinstance(last, Chain):
        return ""
    inside = flat(last)
    head, body = line.removesuffix(f"{inside})"), " " * (indent + 4) + inside
    if len(body) > WIDTH:
        body = _broken(last, indent + 4)
    return f"{margin}{head}\n{body}\n{margin}){suffix}" if len(margin + head) <= WIDTH else ""


def _bracketed(text: Chain, prefix: str, indent: int, suffix: str) -> str:
    margin, whole = " " * indent, " " * (indent + 4) + flat(text)
    inside = whole if len(whole) <= WIDTH else _broken(text, indent + 4)
    return f"{margin}{prefix}(\n{inside}\n{margin}){suffix}"


def _broken(text: Chain, indent: int) -> str:
    lines = [_operand(text.first, "", text.strength, indent, first=True)]
    lines += [
        _operand(operand, f"{operator} ", text.strength, indent) for operator, operand in text.rest
    ]
    return "\n".join(lines)


def _operand(operand: Text, prefix: str, level: int, indent: int, first: bool = False) -> str:
    bare = _head(operand, level) if first else _inside(operand, level)
    line = " " * indent + prefix + bare
    if len(line) <= WIDTH:
        return line
    match operand:
        case Prefixed(operator, Chain() as inner):
            return _bracketed(inner, prefix + operator, indent, "")
        case Chain() if bare.startswith("(") and strength(operand) <= level:
            return _bracketed(operand, prefix, indent, "")
        case Chain(inner_level, head, rest):
            lines = [_operand(head, prefix, inner_level, indent, first=True)]
            lines += [_operand(item, f"{sign} ", inner_level, indent) for sign, item in rest]
            return "\n".join(lines)
        case _:
            return laid_out(operand, prefix, indent)


def _broken_call(start: str, arguments: tuple[Text, ...], indent: int, suffix: str) -> str:
    margin, inner = " " * indent, " " * (indent + 4)
    joined = inner + ", ".join(map(flat, arguments))
    if len(joined) <= WIDTH:
        return f"{margin}{start}(\n{joined}\n{margin}){suffix}"
    return _one_a_line(f"{start}(", arguments, indent, f"){suffix}")


def _one_a_line(start: str, items: tuple[Text, ...], indent: int, end: str) -> str:
    margin = " " * indent
    lines = "\n".join(laid_out(item, "", indent + 4, ",") for item in items)
    return f"{margin}{start}\n{lines}\n{margin}{end}"
