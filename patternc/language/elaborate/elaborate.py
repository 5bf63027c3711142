"""Program to terms: every name resolved, every rule matched, every number known.

Converts the syntax tree and the parameters of the call to `Elaborated`, which gives the pattern of
any (layer, head). All mistakes of all rules are collected first. n stays symbolic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from patternc.ir.sources import TOKENS, Rows, Stream, Tree, name_of
from patternc.ir.terms import HeadPattern, without_rules
from patternc.language.check.environment import Environment
from patternc.language.check.insert_avoid import write_out
from patternc.language.check.program_structure import stream_names, structure_of, without_else
from patternc.language.check.runtime_inputs import RunTimeInput, inputs_of
from patternc.language.check.scope import Scope
from patternc.language.check.statements import CheckedStatements, check_statements, names_in
from patternc.language.elaborate.attachments_of import sources_of_sets
from patternc.language.elaborate.check_heads import HeadPatterns, check_every_head
from patternc.language.elaborate.conditions import truth
from patternc.language.elaborate.headers import Headers, headers_of
from patternc.language.elaborate.length_warnings import outside
from patternc.language.elaborate.lower import Lowering
from patternc.language.elaborate.parameters import negative_sizes, overridden
from patternc.language.syntax.ast import (
    Call,
    CallHeader,
    CountHeader,
    Let,
    Node,
    Program,
    Rule,
    Size,
    Stage,
    When,
    nodes_of,
    walk,
)
from patternc.language.syntax.diagnostics import Diagnostic, Findings, PatternError
from patternc.language.syntax.messages import diagnostic


@dataclass(frozen=True)
class Elaborated:
    """A program that means something. `program` has its parameters and draws written out.

    `heads` and `layers` are None without the header: one pattern for any number of them.
    """

    program: Program
    heads: int | None
    layers: int | None
    causal: bool
    allow_empty: bool
    parameters: dict[str, int]
    inputs: tuple[RunTimeInput, ...]
    warnings: tuple[Diagnostic, ...]
    _rules: dict[str, tuple[Rule, ...]] = field(repr=False)
    _lets: dict[str, Node] = field(repr=False)
    _headers: Headers = field(repr=False)
    _checked: HeadPatterns = field(default_factory=dict, repr=False, compare=False)
    _resolved: HeadPatterns = field(default_factory=dict, repr=False, compare=False)

    def resolve(self, layer: int = 0, head: int = 0, rows: str = "") -> HeadPattern:
        """The pattern of one head; 0 <= layer < (layers or 1), 0 <= head < (heads or 1).

        `rows` names those of a stream, or `tree`; the tokens' have no name.
        """
        if not (0 <= layer < (self.layers or 1) and 0 <= head < (self.heads or 1)):
            raise IndexError(f"no layer {layer}, head {head} in this program")
        if (layer, head, rows) not in self._resolved:
            self._resolved[layer, head, rows] = self._pattern(layer, head, rows)
        return self._resolved[layer, head, rows]

    def _pattern(self, layer: int, head: int, rows: str) -> HeadPattern:
        if not rows and (layer, head, "") in self._checked:
            return self._checked[layer, head, ""]
        asking = self.rows[rows] if rows else TOKENS
        if rows and rows not in self._rules:
            return without_rules(asking, self.rows.values())
        written, place = self.written(layer, head, rows)
        return Lowering(place, self.causal, Findings(), asking).pattern(written)

    def place(self) -> Environment:
        """Where names have their values for all layers and heads alike."""
        return Environment(dict(self.parameters), self._lets)

    def written(self, layer: int = 0, head: int = 0, rows: str = "") -> tuple[Node, Environment]:
        """The pattern of one head as it is written, and where its names have their values."""
        place = self._headers.place(layer, head, self._lets)
        rule = next(rule for rule in self._rules[rows] if _matches(rule, place))
        return rule.pattern, place

    def places_of_rules(self, rows: str = "") -> tuple[tuple[int, int], ...]:
        """The first (layer, head) of each rule, in the order of the text; rules of none have none.

        Rows without rules have one pattern.
        """
        return tuple(self.reached(rows).values()) if rows in self._rules else ((0, 0),)

    def reached(self, rows: str = "") -> dict[int, tuple[int, int]]:
        """The numbers of the rules that some layer and head has, with the first such place."""
        rules, found = self._rules[rows], dict[int, tuple[int, int]]()
        for place in self._headers.places(self._lets):
            number = next(at for at, rule in enumerate(rules) if _matches(rule, place))
            found.setdefault(number, (place.layer, place.head))
            if len(found) == len(rules):
                break
        return {number: found[number] for number in sorted(found)}

    def has_rules(self, rows: str) -> bool:
        """Whether rules are written for these rows."""
        return rows in self._rules

    @cached_property
    def rows(self) -> dict[str, Rows]:
        """The streams of the program, and its tree, by the names of their rows."""
        if not _calls(self.program, "stream", "tree"):
            return {}
        found: dict[str, Rows] = {}
        for place in self._headers.places(self._lets):
            for name in self._rules:
                for source in sources_of_sets(self._with_any_slots(place, name)):
                    if isinstance(source, Stream | Tree):
                        found.setdefault(name_of(source), source)
        return found

    def _with_any_slots(self, place: Environment, rows: str) -> HeadPattern:
        """A pattern before it is known how many slots its rows are."""
        if not rows:
            return self.resolve(place.layer, place.head)
        if (place.layer, place.head, rows) in self._checked:
            return self._checked[place.layer, place.head, rows]
        written, _ = self.written(place.layer, place.head, rows)
        return Lowering(place, self.causal, Findings(), Stream(rows, 1)).pattern(written)

    def length_warnings(self, length: int) -> tuple[Diagnostic, ...]:
        """What a length brings to light: single listed positions outside it."""
        findings = Findings()
        for place in self._headers.places(self._lets):
            rule = next(rule for rule in self._rules[""] if _matches(rule, place))
            outside(rule.pattern, place, length, findings)
        return findings.warnings()


def elaborate(
    program: Program, parameters: Mapping[str, int | str] | None = None, staged: bool = False
) -> Elaborated:
    """The meaning of a program; raises `PatternError` with every mistake in it.

    One that is `staged` may have headers that say what the rows of a stage are.
    """
    findings = Findings()
    if not staged:
        _refuse_stages(program)
    arrangement = structure_of(program, findings)
    checked, scope = check_statements(program, arrangement, findings)
    sound = overridden(checked.sound_part(program), parameters or {}, program, findings)
    headers, patterns = headers_of(sound, findings), HeadPatterns()
    unfit = list(negative_sizes(program, headers.parameters if headers else {}))
    for found in unfit:
        findings.add(found)
    if (
        headers is not None
        and not unfit
        and _counted(program, checked)
        and _can_be_chosen(checked, scope)
    ):
        patterns = check_every_head(tuple(checked.looks), headers, _lets(sound), findings)
    elif arrangement.rules and isinstance(last := arrangement.rules[-1], When):
        findings.add(without_else(last, None))
    parts = [(part, look.rows) for look in checked.looks for part in look.parts]
    ruleless = [name for name in stream_names(program) if name not in arrangement.others]
    sizes = frozenset(s.name for s in sound.statements if isinstance(s, Size))
    inputs = inputs_of(parts, _lets(sound), ruleless, findings, sizes)
    for name in sorted(scope.bound.keys() - scope.used):
        findings.add(_unused(name, scope))
    if headers is None or findings.count:
        raise PatternError(findings.all(), program.source)
    if _calls(sound, "random"):
        # What a draw excludes is written out, and differs between heads: lowered as it is then.
        sound, patterns = write_out(sound), HeadPatterns()
    return _elaborated(sound, headers, inputs, findings.warnings(), patterns)


def _refuse_stages(program: Program) -> None:
    """Refuses what `patternc.language.stages` reads."""
    stages = [each for each in program.statements if isinstance(each, Stage)]
    calls = [each for each in program.statements if isinstance(each, CallHeader)]
    if stages:
        listed, first = ", ".join(stage.name for stage in stages), stages[0]
        found = diagnostic("P032.stages", first.span, listed=listed, first=first.name)
        raise PatternError([found], program.source)
    if calls:
        word = calls[0].call.function
        raise PatternError([diagnostic("P032.outside", calls[0].span, word=word)], program.source)


def _counted(program: Program, checked: CheckedStatements) -> bool:
    """Whether no header is at fault: without its number no layer or head has a value."""
    sound = set(map(id, checked.sound))
    return all(id(s) in sound for s in program.statements if isinstance(s, CountHeader))


def _can_be_chosen(checked: CheckedStatements, scope: Scope) -> bool:
    """Whether every condition can be evaluated."""
    conditions = [look.rule.condition for look in checked.looks if isinstance(look.rule, When)]
    return bool(checked.looks) and not any(
        id(c) in scope.unsound or names_in(c, checked.tainted) for c in conditions
    )


def _lets(program: Program) -> dict[str, Node]:
    return {s.name: s.value for s in program.statements if isinstance(s, Let)}


def _elaborated(
    program: Program,
    headers: Headers,
    inputs: tuple[RunTimeInput, ...],
    warnings: tuple[Diagnostic, ...],
    patterns: HeadPatterns,
) -> Elaborated:
    return Elaborated(
        program,
        headers.heads,
        headers.layers,
        headers.causal,
        headers.allow_empty,
        headers.parameters,
        inputs,
        warnings,
        _sections(program),
        _lets(program),
        headers,
        patterns,
    )


def _sections(program: Program) -> dict[str, tuple[Rule, ...]]:
    """The rules by whose rows they are for."""
    arrangement = structure_of(program, Findings())
    return {"": arrangement.rules, **arrangement.others}


def _calls(program: Program, *functions: str) -> bool:
    """Whether one of these is called anywhere."""
    parts = (part for s in program.statements for root in nodes_of(s) for part in walk(root))
    return any(isinstance(part, Call) and part.function in functions for part in parts)


def _unused(name: str, scope: Scope) -> Diagnostic:
    return diagnostic("P201.unused", scope.places[name], name=name)


def _matches(rule: Rule, place: Environment) -> bool:
    return truth(rule.condition, place) if isinstance(rule, When) else True
