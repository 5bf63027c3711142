"""What may be combined with what: operands of `+ & - ~`, of `on` and `with`, and inside braces."""

from __future__ import annotations

from patternc.language.check.scope import Scope
from patternc.language.check.types import UNKNOWN, TypeInfo, expected_type
from patternc.language.syntax.ast import Binary, Call, Node, Range, Unary
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.messages import diagnostic
from patternc.language.syntax.source import Span

_ATTACHED = ("source", "a key source"), ("modifier", "a score modifier")
_SEARCH = "found", "a search of keys"
_COMBINED = frozenset({"mix", "gate", "difference", "sum", "mean", "features"})
# What a part of the sequence cannot hold, by what facts call it.
UNKNOWN_BEFORE = {
    "random": "a draw",
    "found": "a list that is found in the call",
    "listed": "a run-time list or set",
    "same": "a run-time input",
}
_APPLIED = {"on": "A on encoder", "with": "A with alibi"}


def operator(node: Binary, left: TypeInfo, right: TypeInfo, scope: Scope) -> TypeInfo:
    """`A + B`, `A & B` and `A - B` on patterns."""
    left = _operand(node, node.left, left, scope)
    right = _operand(node, node.right, right, scope)
    if "unknown" in (left.kind, right.kind):
        return UNKNOWN
    if node.operator != "+" and "modifier" in right.holds:
        return scope.report(_modified(node.right, f"the right side of `{node.operator}`"))
    if node.operator == "-" and "listed" in right.holds:
        return scope.report(_run_time(node.right, "the right side of `-`", right))
    return TypeInfo("set", left.holds | right.holds)


def _operand(node: Binary, part: Node, facts: TypeInfo, scope: Scope) -> TypeInfo:
    if facts.kind == "output":
        return scope.report(_mixture(node, part.span, facts))
    if facts.kind not in ("set", "unknown"):
        return scope.report(expected_type("a pattern", facts, part.span))
    return facts


def complement(node: Unary, facts: TypeInfo, scope: Scope) -> TypeInfo:
    """`~A`."""
    if facts.kind == "output":
        return scope.report(_mixture(node, node.operand.span, facts))
    if facts.kind not in ("set", "unknown"):
        return scope.report(expected_type("a pattern", facts, node.operand.span))
    if "random" in facts.holds:
        return scope.report(_random(node))
    if "listed" in facts.holds:
        return scope.report(_run_time(node.operand, "`~`", facts))
    if "modifier" in facts.holds:
        return scope.report(_modified(node.operand, "the operand of `~`"))
    return facts


def attached(node: Binary, left: TypeInfo, right: TypeInfo, scope: Scope) -> TypeInfo:
    """`A on SOURCE` and `A with MODIFIER`."""
    left = _operand(node, node.left, left, scope)
    wanted = "source" if node.operator == "on" else "modifier"
    if right.kind not in (wanted, "unknown"):
        expected = "a key source" if wanted == "source" else "a score modifier"
        right = scope.report(expected_type(expected, right, node.right.span, _names_of(wanted)))
    if "unknown" in (left.kind, right.kind):
        return UNKNOWN
    if node.operator == "on" and "source" in left.holds:
        return scope.report(_second_source(node))
    return TypeInfo("set", left.holds | right.holds | {wanted})


def _names_of(group: str) -> str:
    if group == "source":
        return "write a source after `on`: `memory(512)`, `encoder`, `pool(16, mean)`, .."
    return "write a modifier after `with`: `alibi`, `sink`, `softcap(50)`, .."


def inside_braces(body: Node, facts: TypeInfo, scope: Scope) -> TypeInfo:
    """The pattern that `blocks(..) { }` lifts."""
    if facts.kind == "output":
        return scope.report(_out_of_place(body, "a mixture of branches"))
    if facts.kind not in ("set", "unknown"):
        return scope.report(expected_type("a pattern", facts, body.span))
    for held, what in (*_ATTACHED, _SEARCH):
        if held in facts.holds:
            return scope.report(_out_of_place(body, what))
    return facts


def branches(node: Call, facts: list[TypeInfo], scope: Scope) -> None:
    """The arguments of a combination; those of `mix` are sets, or further `mix`."""
    given = [argument for argument in node.arguments if argument.name is None]
    for argument, branch in zip(given, facts, strict=False):
        inner = branch.holds & (_COMBINED - {"mix"})
        if node.function == "mix" and branch.kind == "output" and inner:
            scope.report(_inside_mix(argument.span, min(inner)))
    if node.function == "difference" and len(given) != 2:
        scope.report(diagnostic("P053.two_branches", node.span, count=len(given)))
    elif len(given) == 1 and not _is_several(node.function, given[0].value):
        scope.report(_lone_gate(node) if node.function == "gate" else _one_branch(node))


def _is_several(function: str, node: Node | Range) -> bool:
    """Clusters are many branches of `mean`, and rounds of `mix`, also among a part of all pairs."""
    if isinstance(node, Binary):
        return any(_is_several(function, part) for part in (node.left, node.right))
    several = {"mean": "cluster", "mix": "lsh"}.get(function, "")
    return isinstance(node, Call) and node.function == several


def avoided(span: Span, facts: TypeInfo, scope: Scope) -> None:
    """What random keys avoid: a pattern whose pairs are known without drawing."""
    if "random" in facts.holds:
        scope.report(_random_avoided(span))
    for held, what in _ATTACHED:
        if held in facts.holds:
            scope.report(_plain_only(span, what))


def _inside_mix(span: Span, inner: str) -> Diagnostic:
    if inner == "features":
        return diagnostic("P115.inside_mix", span)
    return diagnostic("P068.inside_mix", span, inner=inner)


def _one_branch(node: Call) -> Diagnostic:
    return diagnostic("P202.one_branch", node.span, function=node.function)


def _lone_gate(node: Call) -> Diagnostic:
    return diagnostic("P053.lone_gate", node.span)


def _random_avoided(span: Span) -> Diagnostic:
    return diagnostic("P073.random_avoided", span)


def _plain_only(span: Span, what: str) -> Diagnostic:
    return diagnostic("P068.plain_only", span, what=what)


def _mixture(node: Binary | Unary, span: Span, facts: TypeInfo) -> Diagnostic:
    if facts.holds & _COMBINED == {"features"}:
        return diagnostic("P115.operator", span, operator=node.operator)
    return diagnostic(
        "P067.mixture", span, operator=node.operator, applied=_APPLIED.get(node.operator, "A & B")
    )


def _out_of_place(body: Node, what: str) -> Diagnostic:
    return diagnostic("P068.out_of_place", body.span, what=what, search=what == _SEARCH[1])


def in_part(body: Node, what: str) -> Diagnostic:
    """Something that `within` does not take."""
    return diagnostic("P068.in_part", body.span, what=what)


def _random(node: Unary) -> Diagnostic:
    return diagnostic("P069.complement_of_random", node.span)


def _run_time(part: Node, where: str, facts: TypeInfo) -> Diagnostic:
    search = "found" in facts.holds
    return diagnostic("P070.run_time_operand", part.span, where=where, search=search)


def _modified(part: Node, where: str) -> Diagnostic:
    return diagnostic("P071.modified_operand", part.span, where=where)


def _second_source(node: Binary) -> Diagnostic:
    return diagnostic("P072.second_source", node.span)
