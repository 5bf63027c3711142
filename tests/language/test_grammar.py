"""The grammar file: no conflict that a parser settles silently, and what the reader accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from lark import Lark, Token
from lark.lark import PostLex

from patternc.language import PatternError, parse
from patternc.language.syntax.ast import Bare, Binary, Call, FlagHeader, Let, Name, Unary
from patternc.language.syntax.builtins import PRIMITIVES, RESERVED
from patternc.resources import read


class _Everything(PostLex):
    always_accept = ("_NEWLINE",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def test_no_conflict_between_rules_and_no_overlap_between_terminals() -> None:
    Lark(
        read("grammar", "pattern.lark"),
        parser="lalr",
        lexer="contextual",
        postlex=_Everything(),
        strict=True,
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_tabs_a_byte_order_mark_and_blank_lines_are_read(end: str) -> None:
    lines = ["", "# comment", "causal", "\theads\t4", "", "mix(full,", "", "  # inside", " none)"]
    plain = parse("causal\nheads 4\nmix(full, none)")
    assert parse("\ufeff" + end.join(lines)) == plain
    assert parse(end.join(lines) + end * 2) == plain


def test_spans_are_offsets_after_the_byte_order_mark() -> None:
    program = parse("\ufeff# a\r\nlet w = 4\r\n(local(w)\r\n + full)")
    first, second = program.statements
    assert isinstance(first, Let)
    assert program.source.slice(first.name_span) == "w"
    assert program.source.slice(second.span) == "(local(w)\r\n + full)"
    assert program.source.position(second.span.stop) == (4, 9)


def test_a_program_without_a_last_line_end_or_without_text_is_read() -> None:
    assert parse("full") == parse("full\n")
    assert parse("").statements == ()
    assert parse("# only this").statements == ()


def test_the_ladder_binds_as_the_manual_says() -> None:
    (statement,) = parse("a + b & c with m * 2 - ~d").statements
    product = Binary("*", Name("m"), parse("(2)").statements[0].pattern)  # type: ignore[union-attr]
    meet = Binary("&", Name("b"), Binary("with", Name("c"), product))
    assert statement == Bare(Binary("-", Binary("+", Name("a"), meet), Unary("~", Name("d"))))


def test_words_that_begin_statements_are_names_elsewhere() -> None:
    first, second = parse("heads 4\nheads == 4 and layers > rows -> rows([0])").statements
    assert first != second
    assert parse("x(heads, only=rows, head=1)").statements == (
        Bare(parse("x(heads, only=rows, head=1)").statements[0].pattern),  # type: ignore[union-attr]
    )


def test_causal_alone_is_a_header_only_before_the_first_rule() -> None:
    before, rule, after = parse("causal\nfull\ncausal").statements
    assert (before, rule, after) == (FlagHeader("causal"), Bare(Name("full")), Bare(Name("causal")))


def test_trailing_commas_and_empty_brackets_are_read() -> None:
    (statement,) = parse("columns([0, 1,],)").statements
    assert statement == parse("columns([0, 1])").statements[0]
    assert parse("local()").statements == (Bare(Call("local", ())),)


def test_numbers_may_be_grouped_and_are_not_bounded_by_the_reader() -> None:
    assert parse("columns([1_048_576])") == parse("columns([1048576])")
    assert parse(f"columns([{10**100}])") != parse("columns([0])")
    with pytest.raises(PatternError, match="P104"):
        parse(f"columns([1{'0' * 5000}])")


def test_every_unreadable_statement_is_reported() -> None:
    with pytest.raises(PatternError) as caught:
        parse("heads = 4\nfull |\nlet w 4\nlocal(w)\n")
    places = [
        caught.value.source.position(d.span.start) for d in caught.value.diagnostics if d.span
    ]
    assert places == [(1, 7), (2, 6), (3, 7)]


def test_a_deep_program_is_refused_and_a_long_one_is_not() -> None:
    with pytest.raises(PatternError, match="P005"):
        parse("(" * 5000 + "full" + ")" * 5000 + " & " + "~" * 200 + "full")
    parse("columns([" + ", ".join(str(k) for k in range(5000)) + "])")
    parse("".join(f"let w{k} = {k}\n" for k in range(2000)) + "full")


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_the_editor_colours_know_every_word(word: str) -> None:
    colours = json.loads(read("grammar", "pattern.tmLanguage.json"))
    written = "allow empty" if word in ("allow", "empty") else f"{word} "
    # Modifiers have the colour of whatever follows `with`.
    modifies = word in PRIMITIVES and PRIMITIVES[word].group == "modifier"
    before = "A with " if modifies else ""
    found = [re.compile(rule["match"]) for rule in colours["patterns"]]
    assert any(rule.match(before + written, len(before)) for rule in found)
