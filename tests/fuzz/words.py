"""Random numbers, conditions and positions of the language, as text.

A `Writer` holds the generator of random numbers and the names that a program has bound so far.
Every number is of the size that is asked for, so that most programs are accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

ORDERS = ("<", "<=", "==", "!=", ">=", ">")


@dataclass
class Names:
    """What a program has bound: text by kind, and the sizes that all of its parts share."""

    heads: int | None = None
    layers: int | None = None
    causal: bool = False
    grid: tuple[int, ...] | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)


class Words:
    """Numbers, conditions and sets of positions."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names = Names()

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one_of(self, *ways: Callable[[], str]) -> str:
        return self.random.choice(ways)()

    def index(self) -> str | None:
        """`layer` or `head`, where the program has one."""
        known = [("layer", self.names.layers), ("head", self.names.heads)]
        return self.random.choice([word for word, count in known if count] or [""]) or None

    def number(self, low: int, high: int) -> str:
        """A number of at least `low`; about `high` at most."""
        value = self.random.randint(low, high)
        if self.chance(0.6):
            return str(value)
        fitting = [name for name, bound in self.names.numbers.items() if low <= bound <= high]
        ways = [
            f"{value - 1} + 1",
            f"{2 * value + 1} // 2",
            f"max({value}, {low})",
            f"min({value}, {high}, 99)",
            f"abs({-value})",
            f"isqrt({value * value})" if value >= 0 else str(value),
            f"ceil_log2({2**value})" if value >= 0 else str(value),
            f"{value} % {abs(value) + 1}",
            f"({value} * 1)",
            f"2 ** {value.bit_length() - 1}" if value == max(low, 1) else str(value),
            *fitting,
        ]
        if (index := self.index()) is not None:
            ways += [f"{value} + {index}", f"max({value}, {index})", f"{value} * ({index} + 1)"]
        return self.random.choice(ways)

    def small(self, high: int = 6) -> str:
        return self.number(1, high)

    def decimal(self) -> str:
        return self.random.choice(["0.5", "1", "2", "3.25", "1e1", "10000", "1.5e0"])

    # --- conditions -----------------------------------------------------------------------------

    def affine(self, depth: int = 2) -> str:
        """An integer in i, j and n."""
        leaf = self.random.choice(
            ["i", "j", "i", "j", "n", "i - j", "j - i", self.number(0, 9), *self.names.sizes]
        )
        if depth == 0 or self.chance(0.4):
            return f"({leaf})" if " " in leaf else leaf
        inner = self.affine(depth - 1)
        return self.random.choice(
            [
                f"({inner} + {self.affine(depth - 1)})",
                f"({inner} - {self.affine(depth - 1)})",
                f"{self.number(1, 3).join('()')} * {inner}",
                f"({inner} // {self.random.randint(1, 7)})",
                f"({inner} % {self.random.randint(1, 7)})",
                f"abs({inner})",
                f"min({inner}, {self.affine(0)})",
                f"max({inner}, {self.affine(0)})",
            ]
        )

    def comparison(self) -> str:
        text = f"{self.affine()} {self.random.choice(ORDERS)} {self.affine(1)}"
        return f"{text} {self.random.choice(ORDERS)} n" if self.chance(0.1) else text

    def condition(self, depth: int = 1) -> str:
        """A condition in i, j and n."""
        if self.names.conditions and self.chance(0.2):
            return self.random.choice(self.names.conditions)
        if depth == 0 or self.chance(0.5):
            return self.comparison()
        left, right = self.condition(depth - 1), self.condition(depth - 1)
        return self.random.choice(
            [
                f"{left} and {right}",
                f"{left} or {right}",
                f"not ({left})",
                f"({left}) and not {right}",
            ]
        )

    def choice(self) -> str:
        """A condition that a rule begins with; needs a `layer` or a `head`."""
        index = self.index()
        count = (self.names.layers if index == "layer" else self.names.heads) or 1
        at = self.random.randrange(count)
        return self.random.choice(
            [
                f"{index} == {at}",
                f"{index} < {at + 1}",
                f"{index} % 2 == {at % 2}",
                f"{index}s > {at} and {index} != {at}",
                f"0 <= {index} <= {at}",
                f"not {index} >= {at + 1} or {index} == {at}",
            ]
        )

    # --- positions ------------------------------------------------------------------------------

    def end(self, with_n: bool) -> str:
        return self.random.choice(
            [str(self.random.randint(-9, 30)), self.number(0, 20)]
            + ["n // 3", "n - 4", "n // 2 + 1"] * with_n
        )

    def position(self, with_n: bool) -> str:
        first, last = self.end(with_n), self.end(with_n)
        return self.random.choice([first, first, f"{first}:{last}", f"{first}:", f":{last}"])

    def list(self, with_n: bool = True) -> str:
        items = [self.position(with_n) for _ in range(self.random.randint(1, 4))]
        return f"[{', '.join(items)}{',' if self.chance(0.1) else ''}]"

    def period(self) -> str:
        length = self.random.randint(2, 9)
        start = self.random.randrange(length)
        stop = self.random.randint(start + 1, length)
        shown = [f"{start}:{stop}", f"{start}:", f":{stop}", f"{start - length}:"]
        return f"period({length}, {self.random.choice(shown)})"

    def permutation(self) -> str:
        order = list(range(self.random.randint(1, 9)))
        self.random.shuffle(order)
        return f"[{', '.join(map(str, order))}]" if self.chance(0.8) else "[2:5, 0:2]"
