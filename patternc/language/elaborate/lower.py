"""Patterns to terms, for one (layer, head).

Converts parts whose kinds are checked, with `avoid=` written out, to `Term`s and the `HeadPattern`.
A part with an impossible value is reported and stands for nothing, so that one run finds them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from patternc.ir import terms
from patternc.ir.parts import children
from patternc.ir.sources import TOKENS, KeySource, Rows, home_of
from patternc.ir.terms import Combination, HeadPattern, Term
from patternc.language.check.environment import Environment
from patternc.language.check.operators import in_part
from patternc.language.check.runtime_inputs import UNNAMED_GATE
from patternc.language.elaborate.attachment_errors import not_alone
from patternc.language.elaborate.attachments_of import is_past
from patternc.language.elaborate.bound_arguments import BoundArguments
from patternc.language.elaborate.bounds import at_least, saturated
from patternc.language.elaborate.candidates import joined_apart, with_candidates
from patternc.language.elaborate.check_attachments import (
    check_meet,
    check_on,
    check_one_source,
    check_with,
)
from patternc.language.elaborate.check_input_sizes import Sized, sizes_of
from patternc.language.elaborate.constants import EvaluationError
from patternc.language.elaborate.features import feature_map
from patternc.language.elaborate.positions import interval, written
from patternc.language.elaborate.relations import BARE, Context, relation
from patternc.language.elaborate.sources_and_modifiers import modifier_of, source_of
from patternc.language.syntax.ast import Binary, Call, Lift, Name, Node, Range, Unary, node_of
from patternc.language.syntax.diagnostics import Diagnostic, Findings


@dataclass(slots=True)
class Lowering:
    """The terms of one (layer, head).

    `rows` is whose rows ask; `past` is true under the header, and inside `& causal`. `sized` are
    the sizes that the terms ask of inputs; `failed` says that something has no value, so that terms
    are not what was written.
    """

    place: Environment
    causal: bool
    findings: Findings
    rows: Rows = TOKENS
    past: bool = field(init=False)
    known: dict[tuple[str, bool], tuple[Term, ...]] = field(default_factory=dict)
    sized: list[Sized] = field(default_factory=list)
    failed: bool = False

    def __post_init__(self) -> None:
        self.past = self.causal

    def pattern(self, node: Node) -> HeadPattern:
        """A rule's whole pattern; the header `causal` applies to every branch."""
        match written(node, self.place):
            case Call("gate" | "difference" | "sum" | "mean") as call:
                return HeadPattern((), self._combination(call), self.rows)
            case _:
                branches = self.branches(node)
        if self.causal:
            branches = tuple(terms.Intersection((one, terms.Causal())) for one in branches)
        found = HeadPattern(tuple(map(with_candidates, branches)), rows=self.rows)
        return self._alone(node, "mix", found) if _is_mix(node, self.place) else found

    def _alone(self, node: Node, kind: str, pattern: HeadPattern) -> HeadPattern:
        """The pattern of the only argument, whose rounds or clusters are several branches."""
        joined = joined_apart(pattern, kind)
        if joined is None:
            self.findings.add(not_alone(kind, node.span))
        return joined or pattern

    @property
    def home(self) -> KeySource:
        return home_of(self.rows)

    def _combination(self, node: Call) -> Combination:
        given = BoundArguments.of(node, self.place)
        parts = [argument for argument in node.arguments if argument.name is None]
        patterns = tuple(self.pattern(node_of(part)) for part in parts)
        kind = cast(Literal["gate", "difference", "sum", "mean"], node.function)
        if kind == "mean" and len(patterns) == 1:
            patterns = (self._alone(node, kind, patterns[0]),)
        if kind in ("sum", "mean"):
            return Combination(kind, patterns)
        gate = given.word("name") or UNNAMED_GATE
        self.sized.append(Sized(gate, f"{len(patterns)} branches", node.span))
        return Combination(kind, patterns, gate)

    def branches(self, node: Node) -> tuple[Term, ...]:
        """The arguments of `mix`, nested ones flattened; of anything else, the term itself."""
        match node:
            case Name(name) if name in self.place.lets:
                if (name, self.past) not in self.known:
                    self.known[name, self.past] = self.branches(self.place.lets[name])
                return self.known[name, self.past]
            case Call("mix", arguments):
                parts = (self.branches(node_of(argument)) for argument in arguments)
                return tuple(branch for part in parts for branch in part)
            case _:
                return (self.term(node),)

    def term(self, node: Node) -> Term:
        match node:
            case Name(name) if name in self.place.lets:
                (term,) = self.branches(node)
                return term
            case Name(name):
                return BARE[name]
            case Binary("+"):
                return terms.Union(tuple(map(self.term, _chain("+", node))))
            case Binary("&"):
                return self._intersection(_chain("&", node))
            case Binary("-", left, right):
                other = self.term(right)
                self._report(check_one_source("-", right, other, self.home))
                return terms.Difference(self.term(left), other)
            case Unary("~", operand):
                term = self.term(operand)
                self._report(check_one_source("~", operand, term, self.home))
                return terms.Complement(term)
            case Binary("on" | "with") | Lift() | Call():
                return self._guarded(node)
            case _:
                raise AssertionError(f"not a pattern: {node}")

    def _intersection(self, operands: tuple[Node, ...]) -> Term:
        outside = self.past
        cut = any(written(one, self.place) == Name("causal") for one in operands)
        self.past = outside or cut
        items = tuple(map(self.term, operands))
        self.past = outside
        self._report(check_meet(operands, items, self.place.lets, self.home))
        return terms.Intersection(items)

    def _guarded(self, node: Binary | Lift | Call) -> Term:
        try:
            return self._valued(node)
        except EvaluationError as fault:
            self.findings.add(fault.diagnostic)
            self.failed = True
            return terms.Empty()

    def _report(self, found: Iterable[Diagnostic]) -> None:
        """Reports how terms fit together, unless they are not what was written."""
        for diagnostic in () if self.failed else found:
            self.findings.add(diagnostic)

    def _valued(self, node: Binary | Lift | Call) -> Term:
        match node:
            case Binary("on"):
                return self._on(node)
            case Binary():
                return self._with(node)
            case Lift():
                return self._lift(node)
            case Call("features"):
                return self._features(node)
            case Call():
                return relation(self._given(node), Context(self.causal, self.term))

    def _on(self, node: Binary) -> Term:
        term = self.term(node.left)
        source = source_of(self._given(node.right))
        self._report(check_on(node, term, source, self.place.lets))
        self.sized.extend(sizes_of(source, node.right.span))
        return terms.On(term, source)

    def _with(self, node: Binary) -> Term:
        term = self.term(node.left)
        modifier = modifier_of(self._given(node.right), self.past or is_past(term))
        self._report(check_with(node, term, modifier))
        self.sized.extend(sizes_of(modifier, node.right.span))
        return terms.With(term, modifier)

    def _features(self, node: Call) -> Term:
        found = feature_map(self._given(node), self.causal, self.rows)
        if found.matrix is not None:
            size = f"{found.directions} directions"
            self.sized.append(Sized(found.matrix, size, node.span))
        pairs = terms.Full() if found.same is None else terms.SameDocument(found.same)
        return terms.With(pairs, found)

    def _given(self, node: Node) -> BoundArguments:
        assert isinstance(node, Name | Call)
        return BoundArguments.of(node, self.place)

    def _lift(self, node: Lift) -> Term:
        body = self.term(node.body)
        (argument,) = node.call.arguments
        if isinstance(argument.value, Range):
            if any(projections_in(body)):
                self.findings.add(in_part(node.body, "a projection"))
            return terms.Part(interval(argument.value, self.place), body)
        name = argument.name or "B"
        size = at_least(1, name, node_of(argument), self.place, of="blocks")
        return (
            terms.EqualParts(size, body) if argument.name else terms.Blocks(saturated(size), body)
        )


def projections_in(term: object) -> Iterator[str]:
    """The projections that rows below a term have."""
    match term:
        case terms.Rows(_, str() as name) | terms.Global(_, str() as name):
            yield name
        case _:
            for part in children(term):
                yield from projections_in(part)


def _is_mix(node: Node, place: Environment) -> bool:
    match written(node, place):
        case Call("mix"):
            return True
        case _:
            return False


def _chain(operator: Literal["+", "&"], node: Node) -> tuple[Node, ...]:
    """The operands of a chain, in the order of the text."""
    operands: list[Node] = []
    while isinstance(node, Binary) and node.operator == operator:
        operands.append(node.right)
        node = node.left
    return (node, *reversed(operands))
