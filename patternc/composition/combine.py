"""Several programs as one: `A + B`, `A & B`, `A - B`, `~A`, and words that take patterns.

Maps programs to the program that says the combination in every layer and head. It is what the text
with the operands in its place means, so random keys avoid what stands in their chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

from patternc.composition.names import names_called, with_names_apart
from patternc.language import Elaborated, PatternError, elaborate
from patternc.language.syntax.ast import (
    Bare,
    Binary,
    Binding,
    CountHeader,
    FlagHeader,
    Header,
    Name,
    Node,
    Otherwise,
    Program,
    Rule,
    Statement,
    StreamRows,
    When,
)

Build = Callable[..., Node]
# What means another thing below the header `causal` than beside `& causal`.
_OUTPUTS = {"mix", "gate", "difference", "sum", "mean", "features"}
_HEEDING = {"random", "offsets", *_OUTPUTS}


@dataclass(frozen=True)
class Operand:
    """A program with the values of the call at its parameters, and what it means."""

    program: Program
    meaning: Elaborated

    @property
    def is_causal(self) -> bool:
        return self.meaning.causal

    def heeds(self, words: set[str]) -> bool:
        return not words.isdisjoint(names_called(self.program))


def combined(operands: Sequence[Operand], build: Build, word: str) -> Program:
    """The program of `build(..)` of the operands' patterns; `word` is what joins them.

    Raises `ValueError` for headers, names and rows that cannot stand in one program.
    """
    causal, cut = _causal(operands, word)
    programs = with_names_apart(each.program for each in operands)
    counts = [_count(operands, "heads"), _count(operands, "layers")]
    flags = [FlagHeader("causal")] if causal else []
    flags += [FlagHeader("allow empty")] if _may_be_empty(operands) else []
    begin = tuple(s for program in programs for s in _bindings(program, counts))
    rules = _joined([_rules(program) for program in programs], _cutting(build, cut))
    whole = Program((*flags, *begin, *rules, *_rows(operands, programs, word)))
    return _without_unreached(whole, rules)


# --- headers ----------------------------------------------------------------------------------


def _causal(operands: Sequence[Operand], word: str) -> tuple[bool, tuple[bool, ...]]:
    """Whether the whole has the header, and which operands lose their later keys by themselves."""
    having = tuple(each.is_causal for each in operands)
    if not any(having):
        return False, having
    if word != "~" and all(having):
        return True, tuple(False for _ in having)
    keeping = word == "&" or (word == "-" and having[0])
    others = (each for each, has in zip(operands, having, strict=True) if not has)
    if keeping and not any(each.heeds({*_HEEDING, "t5"}) for each in others):
        return True, tuple(False for _ in having)
    if any(each.heeds(_HEEDING) for each, has in zip(operands, having, strict=True) if has):
        raise ValueError(
            f"`{word}`: a pattern has the header `causal`, which its random keys, offsets or "
            "combined outputs heed, and the whole cannot have it; write it on every pattern, or "
            "`& causal` where it is meant, in their texts"
        )
    return False, having


def _count(operands: Sequence[Operand], name: str) -> CountHeader | None:
    """The header of the whole. Raises `ValueError` where operands differ."""
    numbers = {getattr(each.meaning, name) for each in operands} - {None}
    if len(numbers) > 1:
        listed = " and ".join(map(str, sorted(numbers)))
        raise ValueError(f"the patterns have {listed} {name}; they need one number, or no header")
    every = (s for each in operands for s in each.program.statements)
    found = (s for s in every if isinstance(s, CountHeader) and s.name == name)
    return next(found, None)


def _may_be_empty(operands: Sequence[Operand]) -> bool:
    return any(each.meaning.allow_empty for each in operands)


def _bindings(program: Program, counts: list[CountHeader | None]) -> list[Statement]:
    """Names, and headers that no earlier program gave: those are taken out of `counts`."""
    found: list[Statement] = []
    for statement in program.statements:
        if isinstance(statement, Binding):
            found.append(statement)
        elif isinstance(statement, CountHeader):
            mine = [at for at, each in enumerate(counts) if each and each.name == statement.name]
            found += [statement] * len(mine)
            counts[:] = [each for at, each in enumerate(counts) if at not in mine]
    return found


# --- rules ------------------------------------------------------------------------------------


def _rules(program: Program) -> tuple[Rule, ...]:
    """The rules of the tokens' rows."""
    found: list[Rule] = []
    for statement in program.statements:
        if isinstance(statement, StreamRows):
            break
        if isinstance(statement, Bare | When | Otherwise):
            found.append(statement)
    return tuple(found) or (Bare(Name("full")),)


def _joined(every: Sequence[tuple[Rule, ...]], build: Build) -> tuple[Rule, ...]:
    """A rule for each choice of one rule of each program, the first of all first."""
    conditions = {tuple(map(_condition, rules)) for rules in every if len(rules) > 1}
    if len(conditions) == 1:
        many = max(map(len, every))
        rows = [rules if len(rules) > 1 else rules * many for rules in every]
        choices = list(zip(*rows, strict=True))
    else:
        choices = list(product(*every))
    return tuple(_rule(choice, build, alone=len(choices) == 1) for choice in choices)


def _condition(rule: Rule) -> Node | None:
    return rule.condition if isinstance(rule, When) else None


def _rule(choice: Sequence[Rule], build: Build, *, alone: bool) -> Rule:
    pattern = build(*(rule.pattern for rule in choice))
    conditions = dict.fromkeys(rule.condition for rule in choice if isinstance(rule, When))
    if alone:
        return Bare(pattern)
    if not conditions:
        return Otherwise(pattern)
    return When(reduce(lambda a, b: Binary("and", a, b), conditions), pattern)


def _cutting(build: Build, cut: Sequence[bool]) -> Build:
    """`build` with the later keys of some operands taken away."""

    def built(*nodes: Node) -> Node:
        parts = zip(nodes, cut, strict=True)
        return build(*(Binary("&", a, Name("causal")) if short else a for a, short in parts))

    return built


def _without_unreached(whole: Program, rules: tuple[Rule, ...]) -> Program:
    """The program without rules that no layer and head reaches."""
    if len(rules) == 1:
        return whole
    try:
        reached = elaborate(whole).reached()
    except PatternError:
        return whole  # Reported where the text is read.
    *first, last = (rules[number] for number in reached)
    closing = [Otherwise(last.pattern) if first else Bare(last.pattern)]
    begin = whole.statements.index(rules[0])
    rest = whole.statements[begin + len(rules) :]
    return Program((*whole.statements[:begin], *first, *closing, *rest))


# --- rows of streams --------------------------------------------------------------------------


def _rows(
    operands: Sequence[Operand], programs: Sequence[Program], word: str
) -> tuple[Statement, ...]:
    """The rules for rows of streams, as one program has them. Raises `ValueError`."""
    having = [at for at, each in enumerate(programs) if _sections(each)]
    if not having:
        return ()
    streams = [at for at, each in enumerate(operands) if each.meaning.rows]
    if word == "~" or len(streams) > 1:
        raise ValueError(
            f"`{word}`: rules for the rows of a stream stand in one pattern alone; write the "
            "combination as one text, with its lines `rows NAME`"
        )
    return _sections(programs[having[0]])


def _sections(program: Program) -> tuple[Statement, ...]:
    """From the first line `rows NAME` on, without names and headers."""
    statements = program.statements
    begin = next((at for at, s in enumerate(statements) if isinstance(s, StreamRows)), None)
    rest = () if begin is None else statements[begin:]
    return tuple(s for s in rest if not isinstance(s, Binding | Header))
