"""Characters that cannot be shown: which they are, and how text with them is shown all the same.

Names of files and texts of command lines may hold any character. Where they are shown, what would
end a line, move a cursor, change a colour or turn the reading order is written as an escape. Does
not quote text for a specific format such as HTML.
"""

from __future__ import annotations

import re

# Control characters, line and paragraph separators, halves of pairs, turns of the reading order.
_HIDDEN = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ANY = re.compile(f"[{_HIDDEN}]")
_IN_TEXT = re.compile(f"(?![\t\r\n])[{_HIDDEN}]")
_IN_MESSAGES = re.compile(f"(?![\t\n])[{_HIDDEN}]")


def visible(text: str) -> str:
    """A name on one line."""
    return _ANY.sub(_escape, text)


def visible_lines(text: str) -> str:
    """The same of a text whose lines and tabs are meant."""
    return _IN_MESSAGES.sub(_escape, text)


def hidden(text: str) -> re.Match[str] | None:
    """The first character that a program cannot have."""
    return _IN_TEXT.search(text)


def code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _escape(found: re.Match[str]) -> str:
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
    number = ord(found[0])
    return short.get(found[0]) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
