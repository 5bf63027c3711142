"""Checks which key sources and score modifiers may be combined, and where.

Converts parts of the text and their terms to diagnostics. Which relation appears on which source is
the table of sources in `grammar/README.md`. Lowering checks the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from patternc.ir.modifiers import (
    Modifier,
    Rotary,
    ScoreModifier,
    positions_of,
    uses_distance,
)
from patternc.ir.sources import (
    TEXT,
    TOKENS,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Store,
    Stream,
    Text,
    Tokens,
    Tree,
    home_of,
    word_of,
)
from patternc.ir.terms import Causal, HeadPattern, Term
from patternc.language.check.environment import Environment
from patternc.language.elaborate import attachment_errors as errors
from patternc.language.elaborate.attachments_of import (
    Attachments,
    attachments_of,
    attachments_of_term,
    is_cut,
    sources_of,
)
from patternc.language.syntax.ast import (
    Argument,
    Binary,
    Call,
    Lift,
    Name,
    Node,
    Range,
    Reading,
    Unary,
    children,
    node_of,
)
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.language.syntax.source import Span
from patternc.modifiers.bias import Bias

Lets = Mapping[str, Node]

_ANYWHERE = frozenset(
    ("full", "none", "columns", "rows", "where", "before", "random", "listed")
) | {
    *("nearest", "top_blocks"),
}
_IN_ORDER = _ANYWHERE | {
    *("local", "strided", "segment", "causal", "diagonal", "same", "offsets", "visible", "blocks"),
}
_STAND = {
    **dict.fromkeys(("memory", "encoder", "stream"), _IN_ORDER),
    # What else `contextual` lacks there is said of it elsewhere.
    "text": _IN_ORDER | {"contextual"},
    "tree": _ANYWHERE | {"contextual"},
}
# Their slots stand nowhere in the sequence, or at no single place.
_NOWHERE = (Persistent, Project, Store, Tree)
# Those that run-time integers are given for.
_NUMBERED = (Tokens, Memory, Encoder, Stream)


def _expanded(node: Node | Range, lets: Lets, seen: set[str]) -> Iterator[Node | Range]:
    """The node and everything below it; each let is written out once."""
    yield node
    if isinstance(node, Name) and node.name in lets and node.name not in seen:
        seen.add(node.name)
        yield from _expanded(lets[node.name], lets, seen)
    for child in children(node):
        yield from _expanded(child, lets, seen)


def _first_word(node: Node | Range) -> str:
    """The word that a bare name or a call begins with."""
    match node:
        case Name(word) | Call(word):
            return word
        case _:
            return ""


def check_on(node: Binary, term: Term, source: KeySource, lets: Lets) -> Iterator[Diagnostic]:
    """`A on SOURCE`."""
    word, place = _first_word(node.right), node.right.span
    yield from misplaced(node.left, word, place, lets)
    if is_cut(term) and _looks_ahead(source):
        yield errors.not_available(word, place, "`& causal`")
    for modifier in _distances(term, source):
        yield errors.no_distance(modifier.word, place, word)
    for part in attachments_of_term(term, source):
        for held in filter(_has_tokens, part.modifiers):
            yield errors.of_tokens(held.word, place, word)
    if not isinstance(source, (*_NUMBERED, *_NOWHERE)):
        for part in attachments_of_term(term, source):
            for held in filter(positions_of, part.modifiers):
                yield errors.no_positions(held.word, place, word)


def misplaced(node: Node, source: str, place: Span, lets: Lets) -> Iterator[Diagnostic]:
    """Relations that do not appear on a source, by its word; `text`: the tokens for other rows."""
    yield from _misplaced(node, _STAND.get(source, _ANYWHERE), source, place, lets)


def _misplaced(
    node: Node, stands: frozenset[str], source: str, place: Span, lets: Lets
) -> Iterator[Diagnostic]:
    """Relations that do not appear on the source; `causal` under `&` appears on all."""
    match node:
        case Name(name) if name in lets:
            yield from _misplaced(lets[name], stands, source, place, lets)
        case Binary("on", left, _) | Binary("with", left, _):
            yield from _misplaced(left, stands, source, place, lets)
        case Binary(operator, left, right):
            for part in (left, right):
                if operator != "&" or resolved(part, lets) != Name("causal"):
                    yield from _misplaced(part, stands, source, place, lets)
        case Unary(_, operand):
            yield from _misplaced(operand, stands, source, place, lets)
        case Lift(call, body):
            if call.function == "within":
                yield errors.stands_elsewhere("within", call.span, source, place)
            elif call.arguments[0].name or "blocks" not in stands:
                word = "blocks(parts=..)" if call.arguments[0].name else "blocks"
                yield errors.stands_elsewhere(word, call.span, source, place)
            yield from _misplaced(body, stands, source, place, lets)
        case Name() | Call():
            yield from _misplaced_relation(node, stands, source, place, lets)
        case _:
            pass


def _misplaced_relation(
    node: Name | Call, stands: frozenset[str], source: str, place: Span, lets: Lets
) -> Iterator[Diagnostic]:
    word = _first_word(node)
    match node:
        case Call("offsets", (Argument(_, Name(name)),)) if name not in lets:
            yield errors.stands_elsewhere(f"offsets({name})", node.span, source, place)
    if word not in stands:
        yield errors.stands_elsewhere(word, node.span, source, place)
        return
    if "same" not in stands and (read := _read_of_keys(node, lets)):
        yield errors.stands_elsewhere(read, node.span, source, place)
    for argument in node.arguments if isinstance(node, Call) else ():
        if argument.name == "projection":
            yield errors.projected_elsewhere(argument.span, place)
        if argument.name == "avoid":
            yield from _misplaced(node_of(argument), stands, source, place, lets)


def _read_of_keys(node: Node, lets: Lets) -> str:
    """A run-time integer of keys below the node, as it is written; empty if there is none."""
    parts = (part for part in _expanded(node, lets, set()) if isinstance(part, Reading))
    return next((f"{p.name.name}[j]" for p in parts if p.position == Name("j")), "")


def resolved(node: Node, lets: Lets) -> Node:
    while isinstance(node, Name) and node.name in lets:
        node = lets[node.name]
    return node


def _looks_ahead(source: KeySource) -> bool:
    """Whether no slot, or not every slot, has an end that is known before the length is."""
    match source:
        case Project() | Stream() | Text():
            return True
        case Pool(tail=tail):
            return tail == "merge"
        case _:
            return False


def _distances(term: Term, source: KeySource = TOKENS) -> list[ScoreModifier]:
    """Modifiers by distance where there is none."""
    return [
        modifier
        for part in attachments_of_term(term, source)
        if isinstance(part.source, _NOWHERE)
        for modifier in part.modifiers
        if isinstance(modifier, ScoreModifier) and uses_distance(modifier)
    ]


def check_with(node: Binary, term: Term, modifier: Modifier) -> Iterator[Diagnostic]:
    """`A with MODIFIER`."""
    word, parts = _first_word(node.right), tuple(attachments_of_term(term))
    if any(type(held) is type(modifier) for part in parts for held in part.modifiers):
        yield errors.twice(word, node.right.span)
    for part in parts:
        if uses_distance(modifier) and isinstance(part.source, _NOWHERE):
            yield errors.no_distance(word, node.right.span, word_of(part.source))
        elif positions_of(modifier) and not isinstance(part.source, _NUMBERED):
            yield errors.no_positions(word, node.right.span, word_of(part.source))
        elif _has_tokens(modifier) and not isinstance(part.source, Tokens):
            yield errors.of_tokens(word, node.right.span, word_of(part.source))


def _has_tokens(modifier: Modifier) -> bool:
    """Has the modifier a number of each token?"""
    return isinstance(modifier, ScoreModifier) and modifier.of_tokens


def check_meet(
    nodes: Sequence[Node], items: Sequence[Term], lets: Lets, home: KeySource = TOKENS
) -> Iterator[Diagnostic]:
    """`A & B & ..`; `causal` among the operands refers to every source.

    `home` is the source of a relation as it stands.
    """
    rest = [(node, term) for node, term in zip(nodes, items, strict=True) if term != Causal()]
    if not rest:
        return
    (first, left), others = rest[0], rest[1:]
    if len(rest) < len(items):
        yield from check_available(first, left, "`& causal`", lets, home)
    for node, term in others:
        sources = sources_of(term, home)
        lost = [source for source in sources_of(left, home) if source != sources[0]]
        if len(sources) > 1:
            yield errors.several_sources("&", node.span, list(map(_called, sources)))
        elif lost:
            held, wanted = _called(lost[0]), _called(sources[0])
            yield errors.elsewhere_under_meet(first.span, node.span, held, wanted)


def check_one_source(
    operator: str, node: Node, term: Term, home: KeySource = TOKENS
) -> Iterator[Diagnostic]:
    """The right side of `-`, the operand of `~`."""
    sources = sources_of(term, home)
    if len(sources) > 1:
        yield errors.several_sources(operator, node.span, list(map(_called, sources)))


def _called(source: KeySource) -> str:
    if source in (TOKENS, TEXT):
        return "the tokens"
    return f"`{word_of(source)}`"


def check_available(
    node: Node, term: Term, cause: str, lets: Lets, home: KeySource = TOKENS
) -> Iterator[Diagnostic]:
    """That no source of a term is non-causal, where only the past is available."""
    for source in filter(_looks_ahead, sources_of(term, home)):
        word = word_of(source)
        yield errors.not_available(word, _span_of(word, node, lets, _merges), cause)


def _merges(node: Name | Call) -> bool:
    """Whether a pool's last slot takes in leftovers; of another word nothing is asked."""
    tails = [a.value for a in node.arguments if a.name == "tail"] if isinstance(node, Call) else []
    return _first_word(node) != "pool" or Name("merge") in tails


def _span_of(
    word: str, node: Node, lets: Lets, suits: Callable[[Name | Call], bool] = lambda _: True
) -> Span:
    """Where a word appears in a pattern."""
    for part in _expanded(node, lets, set()):
        if isinstance(part, Name | Call) and _first_word(part) == word and suits(part):
            return part.span
    return node.span


def check_whole(
    node: Node, pattern: HeadPattern, causal: bool, place: Environment
) -> Iterator[Diagnostic]:
    """What the branches of a pattern have in common; of combined outputs, each by itself."""
    if pattern.combination is not None:
        for argument in pattern.combination.arguments:
            yield from check_whole(node, argument, causal, place)
        return
    for branch in pattern.branches if causal else ():
        home = home_of(pattern.rows)
        yield from check_available(node, branch, "the header `causal`", place.lets, home)
    parts = attachments_of(pattern)
    if len({tuple(m for m in part.modifiers if isinstance(m, Rotary)) for part in parts}) > 1:
        yield errors.differs("rotary", _span_of("rotary", node, place.lets), place.where())
    yield from _biases(node, parts, place)


def _biases(node: Node, parts: Sequence[Attachments], place: Environment) -> Iterator[Diagnostic]:
    sources: dict[str, KeySource] = {}
    for part in parts:
        for modifier in part.modifiers:
            if not isinstance(modifier, Bias):
                continue
            if sources.setdefault(modifier.name, part.source) != part.source:
                span = _span_of("bias", node, place.lets)
                yield errors.bias_on_several(modifier.name, span, place.where())
