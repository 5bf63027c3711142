"""Why a query attends to a key, or does not: terms that allow a pair, the rule that drops it.

Maps the written rule of a head to the parts of it that decide about one pair of positions. Every
part is asked by its own meaning at the same place, so lifts, lets and draws are those of the rule.
A slot of `pool` or `project` stands for the positions it is made of. Looks at a single layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from patternc.algebra.evaluate import Integers
from patternc.algebra.work_budget import STRIP, EffortError
from patternc.frozen import frozen
from patternc.ir.sources import TEXT, TOKENS, Pool, Project, Rows, Tokens, Tree, name_of
from patternc.ir.terms import HeadPattern
from patternc.language.check.environment import Environment
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.elaborate.lower import Lowering
from patternc.language.syntax.ast import Binary, Call, FlagHeader, Lift, Name, Node, node_of
from patternc.language.syntax.diagnostics import Findings
from patternc.language.syntax.source import SourceText as Text
from patternc.language.syntax.unparse import show_node
from patternc.relation.relation import Branch, relation
from patternc.relation.tables import HeadTables
from patternc.semantics.source_slots import windows

# Slots of a `project` that are looked at for a pair.
MOST_SLOTS = 1 << 24

_BRANCHING = ("mix", "gate", "difference", "sum", "mean")
Rule = Literal["causal", "&", "-"]


@frozen
class ProgramPart:
    """A part of the program as it is written; line and column count from 1."""

    text: str
    line: int
    column: int


@frozen
class Verdict:
    """One pair in one head: allowed by terms, dropped by a rule, or held by no term at all.

    `dropped_by` is what appears at the right of `&` or `-`, or the header `causal`.
    """

    layer: int
    head: int
    sees: bool
    allowed_by: tuple[ProgramPart, ...]
    dropped_by: ProgramPart | None
    rule: Rule | None


def verdict(
    program: Elaborated,
    layer: int,
    head: int,
    tables: HeadTables,
    query: int,
    key: int,
    rows: Rows = TOKENS,
    source: Rows = TOKENS,
) -> Verdict:
    """What one head says of a pair: of positions, or slots of other rows and of another source.

    Slots of a tree are spans above the tokens.
    """
    written, place = program.written(layer, head, name_of(rows))
    text = program.program.source
    asked = _Asked(place, program.causal, tables, query, key, rows, source)
    found = asked.about(written, _available if program.causal else _itself)
    if program.causal and not found.allowed:
        plain = replace(asked, causal=False).about(written, _itself)
        if plain.allowed:
            allowed = _parts(plain.allowed, text)
            return Verdict(layer, head, False, allowed, _header(program), "causal")
    allowed = _parts(found.allowed, text)
    if allowed or not found.dropped:
        return Verdict(layer, head, bool(allowed), allowed, None, None)
    node, rule, held = found.dropped[0]
    return Verdict(layer, head, False, _parts(held, text), _part(node, text), rule)


def _itself(part: Node) -> Node:
    return part


def _available(part: Node) -> Node:
    """What the header `causal` leaves of a part."""
    return Binary("&", part, Name("causal"))


def _header(program: Elaborated) -> ProgramPart:
    statements = program.program.statements
    header = next(each for each in statements if each == FlagHeader("causal"))
    line, column = program.program.source.position(header.span.start)
    return ProgramPart("causal", line, column)


@frozen
class _Found:
    """Terms that allow the pair; or what drops it, by which rule, and terms that would allow it."""

    allowed: tuple[Node, ...] = ()
    dropped: tuple[tuple[Node, Rule, tuple[Node, ...]], ...] = ()


@frozen
class _Asked:
    """One pair, and where names have their values."""

    place: Environment
    causal: bool
    tables: HeadTables
    query: int
    key: int
    rows: Rows
    source: Rows

    def about(self, node: Node, within: Callable[[Node], Node]) -> _Found:
        """`within` puts a part back under the lifts and sources that it appears in."""
        match node:
            case Name(name) if name in self.place.lets:
                return self.about(self.place.lets[name], within)
            case Binary("+", left, right):
                return _joined([self.about(left, within), self.about(right, within)])
            case Call(function, arguments) if function in _BRANCHING:
                parts = [node_of(argument) for argument in arguments if argument.name is None]
                return _joined([self.about(part, within) for part in parts])
            case Binary("with", left, _):
                return self.about(left, within)
            case Binary("on", left, source):
                found = self.about(left, lambda part: within(Binary("on", part, source)))
                return replace(found, allowed=(node,) if found.allowed else ())
            case Lift(call, body):
                return self.about(body, lambda part: within(Lift(call, part)))
            case Binary("&" | "-"):
                return self._cut(node, within)
            case _:
                return _Found(allowed=(node,)) if self.holds(within(node)) else _Found()

    def _cut(self, node: Binary, within: Callable[[Node], Node]) -> _Found:
        """What is left of the first operand."""
        held = self.about(node.left, within)
        if not held.allowed or self.holds(within(node)):
            return held
        rule: Rule = "&" if node.operator == "&" else "-"
        return _Found(dropped=((node.right, rule, held.allowed),))

    def holds(self, node: Node) -> bool:
        """Whether a part alone connects the pair."""
        lowering = Lowering(self.place, self.causal, Findings(), self.rows)
        pattern = HeadPattern(lowering.branches(node), rows=self.rows)
        return any(map(self._connects, relation(pattern).branches))

    def _connects(self, branch: Branch) -> bool:
        return any(self._connects_by(branch, slots) for slots in self._strips(branch))

    def _connects_by(self, branch: Branch, slots: Integers) -> bool:
        tables = self.tables.of(branch.source, self.rows)
        found = tables.holds(branch.predicate, {"i": np.full_like(slots, self.query), "j": slots})
        return bool(np.broadcast_to(found, slots.shape).any())

    def _strips(self, branch: Branch) -> Iterator[Integers]:
        """The slots that stand for the key, some at a time."""
        if self.source == TOKENS and isinstance(branch.source, Project):
            for first in range(0, branch.source.slots, STRIP):
                if first >= MOST_SLOTS:
                    raise EffortError(f"no slot was found among {first:,} of `project`")
                yield np.arange(first, min(first + STRIP, branch.source.slots))
        else:
            yield np.array(list(self._slots(branch)), np.int64)

    def _slots(self, branch: Branch) -> Iterator[int]:
        """The slots that stand for the key, among others."""
        if self.source != TOKENS:
            if branch.source == self.source:
                tokens = self.tables.n if isinstance(self.source, Tree) else 0
                yield tokens + self.key
            return
        match branch.source:
            case Tokens() | Tree():
                yield self.key
            case source if source == TEXT:
                yield self.key
            case Pool(size, _, stride, tail):
                last = windows(branch.source, self.tables.n) - 1
                for slot in range(max(0, (self.key - size) // stride), self.key // stride + 1):
                    if slot <= last and self.key < slot * stride + size:
                        yield slot
                if tail == "merge" and last >= 0 and self.key >= last * stride + size:
                    yield last
            case _:
                return


def _joined(parts: list[_Found]) -> _Found:
    return _Found(
        tuple(node for part in parts for node in part.allowed),
        tuple(drop for part in parts for drop in part.dropped),
    )


def _parts(nodes: tuple[Node, ...], text: Text) -> tuple[ProgramPart, ...]:
    return tuple(dict.fromkeys(_part(node, text) for node in nodes))


def _part(node: Node, text: Text) -> ProgramPart:
    """What a header implies stands nowhere: it is shown at the start."""
    line, column = text.position(node.span.start)
    return ProgramPart(" ".join(text.slice(node.span).split()) or show_node(node), line, column)
