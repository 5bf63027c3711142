"""Colours of a text for Pygments: Sphinx, Jupyter, MkDocs. Installed as the lexer `pattern`."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, Text

from patternc.editors.document import STATEMENTS
from patternc.language.syntax.builtins import PRIMITIVES

_OTHER = ("query_pool", "stage", "unfold", "rows", "from")


class PatternLexer(RegexLexer):
    """Words are those of the table of builtins, so that none is missing."""

    name = "Attention pattern"
    aliases: ClassVar[list[str]] = ["pattern", "patternc"]
    filenames: ClassVar[list[str]] = ["*.pat"]
    tokens: ClassVar[dict[str, list[object]]] = {
        "root": [
            (r"#.*$", Comment.Single),
            (r"\s+", Text),
            (words((*STATEMENTS, *_OTHER), prefix=r"^", suffix=r"\b"), Keyword),
            (r"(and|not|on|or|with)\b", Operator.Word),
            (r"[A-Za-z_]\w*(?==(?!=))", Name.Attribute),
            (words(tuple(PRIMITIVES), suffix=r"\b"), Name.Builtin),
            (
                words(("head", "heads", "i", "j", "layer", "layers", "n"), suffix=r"\b"),
                Name.Variable,
            ),
            (r"[A-Za-z_]\w*", Name),
            (r"\d[\d_]*(\.\d+)?([eE][+-]?\d+)?", Number),
            (r"->|<=|>=|==|!=|\*\*|//|[-+&~*%<>=]", Operator),
            (r"[][(){},:]", Punctuation),
        ]
    }
