"""Every limit of the language: one below, at, and one above it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from patternc import Pattern
from patternc.language import PatternError, elaborate, fmt, parse
from patternc.language.syntax import limits as most
from patternc.language.syntax.ast import Number, Sequence, walk
from patternc.language.syntax.diagnostics import render


def _code(text: str) -> str:
    try:
        elaborate(parse(text))
    except PatternError as error:
        return error.diagnostics[0].code
    return ""


def _chain(levels: int) -> str:
    """A pattern of so many levels, by lets of fifty each."""
    lines, levels, number = ["let a0 = full"], levels - 1, 0
    while levels:
        step = min(50, levels)
        lines.append(f"let a{number + 1} = {'~' * step}a{number}")
        number, levels = number + 1, levels - step
    return "\n".join([*lines, f"a{number}"])


_LIMITS: dict[str, tuple[Callable[[int], str], int, str]] = {
    "bytes": (lambda n: "full#" + "x" * (n - 5), most.TEXT_BYTES, "P130"),
    "wide bytes": (lambda n: "full#" + "é" * ((n - 5) // 2) + "x" * ((n - 5) % 2),
                   most.TEXT_BYTES, "P130"),
    "list": (lambda n: f"columns([{','.join(map(str, range(n)))}])", most.LIST_ITEMS, "P130"),
    "list, trailing comma": (lambda n: f"columns([{'0,' * n}])", most.LIST_ITEMS, "P130"),
    "ordered": (lambda n: f"permuted([0:{n}])", most.LIST_ITEMS, "P130"),
    "operators": (lambda n: "~" * (n - 1) + "full", most.NESTING, "P005"),
    "chain": (lambda n: " + ".join(["full"] * n), most.NESTING, "P005"),
    "brackets": (lambda n: "(" * n + "full" + ")" * n, most.NESTING, "P005"),
    "written out": (_chain, most.WRITTEN_NESTING, "P133"),
    "absolute values": (
        lambda n: f"where({'abs(' * n}i - j{' - j)' * n} < 3)", most.ABSOLUTE, "P133"),
    "slots": (lambda n: f"full on memory({n})", most.SLOTS, "P132"),
    "grid": (lambda n: f"neighborhood([{n}], radius=[1])", most.GRID, "P132"),
    "parts": (lambda n: f"blocks(parts={n}) {{ full }}", most.BLOCK_PARTS, "P132"),
    "patterns": (lambda n: f"heads {n}\nfull", most.PATTERNS, "P110"),
}  # fmt: skip


@pytest.mark.parametrize("name", _LIMITS)
def test_a_limit_holds_to_the_unit(name: str) -> None:
    text, limit, code = _LIMITS[name]
    assert [_code(text(limit + more)) for more in (-1, 0, 1)] == ["", "", code]


def test_a_program_at_its_limits_of_nesting_compiles_and_is_laid_out() -> None:
    for text in (_chain(most.WRITTEN_NESTING), "~" * (most.NESTING - 1) + "full"):
        assert parse(fmt(text)) == parse(text)
        Pattern(text).check(16)
        Pattern(text).compile()


def test_words_are_counted_where_numbers_of_a_list_are_one() -> None:
    each = "let {} = 1\n"
    lines = "".join(each.format(f"a{k}") for k in range((most.WORDS - 2) // 5))
    parse(f"{lines}full\n")
    with pytest.raises(PatternError, match="P130"):
        parse(f"{lines}{each.format('b')}full\n")


def test_long_lists_keep_every_number_its_sign_and_its_place() -> None:
    text = "columns([3, -4:5, 1_0,\n  7, # a comment\n -8, 9, 10, 11, 12:13, 14, 2 ** 3, 15])"
    (rule,) = parse(text).statements
    found = [part for part in walk(rule.pattern) if isinstance(part, Number)]
    assert [int(text[n.span.start : n.span.stop].replace("_", "")) for n in found] == [
        number.value for number in found
    ]
    (listed,) = (part for part in walk(rule.pattern) if isinstance(part, Sequence))
    assert len(listed.items) == 12
    assert parse(fmt(text)) == parse(text)


def test_lets_that_double_are_walked_once() -> None:
    lets = "".join(f"let w{k + 1} = w{k} + w{k}\n" for k in range(60))
    Pattern(f"let w0 = 1\n{lets}local(w60 // 2 ** 59)").check(16)


def test_many_findings_and_long_lines_are_cut_in_a_message() -> None:
    with pytest.raises(PatternError) as caught:
        elaborate(parse(f"columns([{', '.join(f'wrong{k}' for k in range(2000))}])"))
    shown = str(caught.value)
    assert len(caught.value.diagnostics) == 2000
    assert shown.endswith("and 1,950 more, not shown\n")
    assert max(map(len, shown.splitlines())) < 200


@pytest.mark.parametrize("character", "\0\x0b\x0c\x1b\x7f\x85\u2028\u2029\ud800\u202e\u2066")
def test_a_character_that_cannot_be_shown_is_refused_and_shown_as_an_escape(character: str) -> None:
    with pytest.raises(PatternError, match="P007") as caught:
        parse(f"full # {character}")
    assert character not in render(caught.value.diagnostics, caught.value.source)


def test_a_header_at_fault_says_so_and_nothing_else() -> None:
    for text in ("heads x\nhead == 0 -> full\nelse -> none", "layers x\nlocal(layer)"):
        assert _code(text) == "P040"
