"""`+ & - ~` between patterns, and the words that take patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, Self

from patternc.composition.combine import Operand, combined
from patternc.composition.values import value_node
from patternc.composition.words import Words
from patternc.ir.builtin_words import BuiltinParameter
from patternc.language import show
from patternc.language.elaborate.parameters import overridden
from patternc.language.syntax.ast import (
    Argument,
    Bare,
    Binary,
    BinaryOperator,
    Call,
    Lift,
    Name,
    Node,
    Program,
    Range,
    Unary,
)
from patternc.language.syntax.builtins import PRIMITIVES
from patternc.language.syntax.diagnostics import Findings
from patternc.language.syntax.source import SourceText

if TYPE_CHECKING:
    from patternc.frontend import Frontend


class Composable(Words):
    """What `Pattern` is put together by. The text of the result is its program.

    >>> from patternc import Pattern
    >>> window = Pattern.local(256) | Pattern.global_([0])
    >>> print(window & Pattern.causal())
    (local(256) + global([0])) & causal
    <BLANKLINE>
    """

    _frontend: Frontend

    if TYPE_CHECKING:

        def __init__(
            self, text: str, *, name: str = ..., parameters: Mapping[str, Any] | None = ...
        ) -> None: ...

    def __add__(self, other: Self) -> Self:
        """The union: one softmax over the pairs of both, as `A + B` of the language.

        Names of parameters and run-time inputs are those of both; lets of one name are renamed, and
        rules are combined in every layer and head. Python reads `a + b & c` as `(a + b) & c`,
        the language as `a + (b & c)`; `|` is the same union and reads as there. Random keys avoid
        the other operands of their chain. Raises `ValueError` for patterns that no program can
        hold together, `PatternError` for operands that the language does not combine.
        """
        return self._with("+", other)

    def __or__(self, other: Self) -> Self:
        """The union, as `+`: in Python `|` binds less than `&`, as the union of the language."""
        return self._with("+", other)

    def __and__(self, other: Self) -> Self:
        """The pairs of both, as `A & B` of the language. Otherwise as `+`."""
        return self._with("&", other)

    def __sub__(self, other: Self) -> Self:
        """The pairs of this pattern that the other does not hold. Otherwise as `+`."""
        return self._with("-", other)

    def __invert__(self) -> Self:
        """The other pairs: without the header `causal`, later keys among them."""
        return self._of_patterns((self,), lambda a: Unary("~", a), "~")

    def on(self, source: str) -> Self:
        """This pattern on another key source: `Pattern.full().on("memory(64)")`."""
        return self._attached("on", source)

    def with_(self, modifier: str) -> Self:
        """This pattern with its scores changed: `Pattern.local(64).with_("softcap(30)")`."""
        return self._attached("with", modifier)

    def blocks(self, size: int | str | None = None, *, parts: int | str | None = None) -> Self:
        """`blocks(size) { .. }`: this pattern on blocks in place of positions."""
        return self._lifted(_call("blocks", (size,), {"parts": parts}))

    def within(self, start: int | str | None, stop: int | str | None) -> Self:
        """`within(start:stop) { .. }`: this pattern on a part of the sequence."""
        return self._lifted(_call("within", (slice(start, stop),), {}))

    # --- what words and operators share ---

    def _with(self, operator: Literal["+", "&", "-"], other: Self) -> Self:
        if not isinstance(other, Composable):
            kind = type(other).__name__
            raise TypeError(
                f"`{operator}` combines two patterns, got {kind}; a text is a pattern by "
                "Pattern.parse(text)"
            )
        return self._of_patterns((self, other), lambda a, b: Binary(operator, a, b), operator)

    def _attached(self, word: BinaryOperator, text: str) -> Self:
        node = value_node(text, word)
        if not isinstance(text, str) or isinstance(node, Range):
            raise TypeError(f"{word}: expected text such as {_EXAMPLES[word]}, got {text!r}")
        return self._of_patterns((self,), lambda a: Binary(word, a, node), word)

    def _lifted(self, call: Node) -> Self:
        assert isinstance(call, Call)
        return self._of_patterns((self,), lambda a: Lift(call, a), call.function)

    @classmethod
    def _of_word(cls, word: str, placed: tuple[object, ...], /, **named: object) -> Self:
        every = (*placed, *named.values())
        patterns = tuple(value for value in every if isinstance(value, Composable))
        if not patterns:
            return cls(show(Program((Bare(_call(word, placed, named)),))))

        def build(*nodes: Node) -> Node:
            rest = iter(nodes)
            given = [next(rest) if isinstance(value, Composable) else value for value in every]
            return _call(
                word, given[: len(placed)], dict(zip(named, given[len(placed) :], strict=True))
            )

        return cls(show(combined([each._operand() for each in patterns], build, word)))

    def _of_patterns(self, patterns: tuple[Self, ...], build: Any, word: str) -> Self:
        return type(self)(show(combined([each._operand() for each in patterns], build, word)))

    def _operand(self) -> Operand:
        return Operand(in_force(self._frontend), self._frontend.program)


def in_force(frontend: Frontend) -> Program:
    """The program with the parameters of the call in the place of its own."""
    ast = frontend.ast
    return overridden(ast, frontend.parameters, ast, Findings())


def with_parameters(frontend: Frontend) -> str:
    """The text of the same: all else as it is written, comments too."""
    text = SourceText.of(frontend.text).text
    pairs = zip(frontend.ast.statements, in_force(frontend).statements, strict=True)
    for written, given in reversed([pair for pair in pairs if pair[0] != pair[1]]):
        line = show(Program((given,))).rstrip("\n")
        text = text[: written.span.start] + line + text[written.span.stop :]
    return text if frontend.parameters else frontend.text


_EXAMPLES = {"on": '"memory(64)"', "with": '"softcap(30)"'}


def _call(word: str, placed: Sequence[object], named: Mapping[str, object]) -> Node:
    """A word with its arguments as they are written; None is left out."""
    known = PRIMITIVES[word]
    if known.bare:
        return Name(word)
    slots = zip_longest(known.positional, placed, fillvalue=known.variadic)
    given = [_argument(slot, None, value) for slot, value in slots if value is not None]
    every = ((known.slot(name), name, value) for name, value in named.items())
    given += [_argument(slot, name, value) for slot, name, value in every if value is not None]
    return Call(word, tuple(given))


def _argument(slot: object, name: str | None, value: object) -> Argument:
    assert isinstance(slot, BuiltinParameter)
    if isinstance(value, Node):
        return Argument(name, value)
    listed = slot.kind in ("positions", "order", "distances") and isinstance(value, slice | range)
    return Argument(name, value_node([value] if listed else value, slot.name))
