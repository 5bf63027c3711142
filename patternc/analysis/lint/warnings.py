"""Warnings that need a length: what a program that is sound does, and likely should not.

Maps an elaborated program and n to diagnostics. Equal patterns are looked at once.

- P204: single listed positions outside the length.
- P205: `global(S)` where no row of the rule sees a later token, and `columns(S)` in its place
  leaves every pair of the rule as it is: the rows of S add no reach.
- P206: a term of the rule's outermost union that looks back only (j <= i wherever rows stand, and
  j < i somewhere), beside one that holds a pair j > i; in `blocks(B)` one whose key is in a later
  block than its row. The arguments of `mix`, `gate`, `sum` and
  `mean` count as terms; `columns([0])` does not look back, a row before the start would see it.
- P207, P208: a row without keys, per head, of the tokens or of a stream with rules of its own; and
  a key that no row of any head of a layer sees, not even one after the end. `allow empty` silences
  both, and so does a rule that is the word `none` alone. Streams and trees have rows of their own,
  which may see any key: P208 is silent with them.
- P213: a pair that two terms of one softmax hold with two scales.

Formulas are answered exactly by integer sets, tables of draws by listing them. Where an answer
depends on run-time inputs, or takes more than the bounds of `sets_at_length` and `table_pairs`,
nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd

from patternc.analysis.lint.causality import (
    are_surely_equal,
    block_size,
    is_causal,
    is_cut,
    leak,
    without_rows,
)
from patternc.analysis.lint.empty_rows import empty_row, unseen_key
from patternc.analysis.lint.scales import scaled_twice
from patternc.analysis.rules import Rule, distinct, is_idle, joined, operands, rules_of
from patternc.ir.sources import TOKENS, KeySource, word_of
from patternc.ir.terms import Global, HeadPattern
from patternc.language.elaborate.elaborate import Elaborated
from patternc.language.syntax.ast import Call, Node
from patternc.language.syntax.diagnostics import Diagnostic, Findings, Mark, ordered
from patternc.language.syntax.messages import diagnostic
from patternc.relation.relation import relation
from patternc.semantics.lengths import fitting, verify

# Looked at where no length is given and no grid has one.
LENGTH = 4096


def warnings_at(program: Elaborated, length: int | None = None) -> tuple[Diagnostic, ...]:
    """What n = `length` brings to light; None is 4096, or the positions of the program's grid.

    Raises `LengthError` for a length that the program refuses.
    """
    findings = Findings()
    layers = [list(rules_of(program, layer)) for layer in range(program.layers or 1)]
    rules = distinct(rule for layer in layers for rule in layer)
    n = usual_length(program) if length is None else length
    for rule in rules:
        verify(rule.pattern, n)
    for rule in rules:
        for found in (*_idle_globals(rule, n), *_leaks(rule, n), *scaled_twice(rule, n)):
            findings.add(found)
    if not program.allow_empty:
        unseen = () if program.rows else _unseen_keys(layers, n)
        meant = [rule for rule in rules if not is_idle(rule)]
        for found in (*_empty_rows(meant, n), *_empty_slots(program, n), *unseen):
            findings.add(found)
    return ordered((*program.length_warnings(n), *findings.warnings()))


def usual_length(program: Elaborated) -> int:
    """4096, or the most positions of the first grid, blocks of it filled."""
    rules = distinct(rule for at in range(program.layers or 1) for rule in rules_of(program, at))
    spans = (fitting(rule.pattern) for rule in rules)
    return next((most for _, most in filter(None, spans)), LENGTH)


def _idle_globals(rule: Rule, n: int) -> Iterator[Diagnostic]:
    for call in rule.calls("global"):
        (term,) = rule.meaning(call).branches
        if not isinstance(term, Global) or term.projection is not None:
            continue
        whole = relation(rule.pattern)
        if not (rule.causal or is_cut(whole, n)):
            continue
        if are_surely_equal(whole, relation(without_rows(rule.pattern, term)), n):
            yield _idle_global(call, rule, n)


def _idle_global(call: Call, rule: Rule, n: int) -> Diagnostic:
    return diagnostic("P205.idle_global", call.span, place=joined(f"at n = {n}", rule.where))


def _leaks(rule: Rule, n: int) -> Iterator[Diagnostic]:
    """Every term that leaks, beside the first that looks back."""
    parts = list(operands(rule.written, rule.place))
    if rule.causal or len(parts) == 1:
        return
    meanings = [relation(rule.meaning(part)) for part in parts]
    causal = next((k for k, meaning in enumerate(meanings) if is_causal(meaning, n)), None)
    if causal is None:
        return
    for part, meaning in zip(parts, meanings, strict=True):
        pair = leak(meaning, n, _block(rule.meaning(part)))
        if pair is not None:
            yield _leak(part, parts[causal], pair, rule)


def _block(pattern: HeadPattern) -> int:
    """The tokens of the blocks that a part is written in: within one, keys may be later."""
    return gcd(*map(block_size, pattern.branches)) or 1


def _leak(part: Node, causal: Node, pair: tuple[int, int], rule: Rule) -> Diagnostic:
    row, key = pair
    return diagnostic(
        "P206.non_causal_term",
        part.span,
        (Mark(causal.span, "this term is causal"),),
        place=joined(f"query {row} attends to key {key}", rule.where),
    )


def _empty_rows(rules: list[Rule], n: int) -> Iterator[Diagnostic]:
    for rule in rules:
        row = empty_row(relation(rule.pattern), n)
        if row is not None:
            yield _empty_row(row, rule, n)


def _empty_slots(program: Elaborated, n: int) -> Iterator[Diagnostic]:
    """The same of the rows of streams."""
    for name in filter(program.has_rules, program.rows):
        layers = range(program.layers or 1)
        every = distinct(rule for at in layers for rule in rules_of(program, at, name))
        for found in _empty_rows([rule for rule in every if not is_idle(rule)], n):
            yield replace(found, title=f"{found.title}: one of `{name}`")


def _empty_row(row: int, rule: Rule, n: int) -> Diagnostic:
    return diagnostic(
        "P207.empty_row", rule.written.span, row=row, place=joined(f"at n = {n}", rule.where)
    )


def _unseen_keys(layers: list[list[Rule]], n: int) -> Iterator[Diagnostic]:
    for rules in layers:
        if all(map(is_idle, rules)):
            continue
        heads = tuple(dict.fromkeys(relation(rule.pattern) for rule in rules))
        found = unseen_key(heads, n)
        if found is not None:
            yield _unseen_key(*found, rules, n)


def _unseen_key(source: KeySource, slot: int, rules: list[Rule], n: int) -> Diagnostic:
    values = rules[0].place.values
    layer = f"at layer {values['layer']}" if "layer" in values else ""
    heads = f"in none of the {len(rules)} heads" if "head" in values else ""
    key = f"key {slot}" if source == TOKENS else f"slot {slot} of `{word_of(source)}`"
    return diagnostic(
        "P208.unseen_key",
        rules[0].written.span,
        unseen=key,
        place=joined(f"at n = {n}", layer, heads),
    )
