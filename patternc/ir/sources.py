"""Key sources: where the slots of a term's keys come from.

A term `A on SOURCE` relates query positions i to slots j. Slots count from 0, except on `Memory`,
where j is the position -m..-1 before the segment. Does not describe how a module computes them.
"""

from __future__ import annotations

from typing import Literal

from patternc.frozen import frozen

PoolOperation = Literal["mean", "sum", "max", "convolution"]
PoolTail = Literal["clip", "drop", "merge"]


@frozen
class Tokens:
    """The n tokens themselves; available to i: j <= i."""


@frozen
class Memory:
    """Positions -length..-1 before the segment (Transformer-XL); always available.

    A shorter memory at call time lacks its oldest positions.
    """

    length: int


@frozen
class Compressed:
    """`length` slots that stand for `rate` positions each, oldest first; always available.

    Slot s ends rate*(length-1-s) positions before the oldest memory position.
    """

    length: int
    rate: int


@frozen
class Pool:
    """One slot for each window of `size` tokens, every `stride`.

    `clip`: the last slot may be short; `drop`: only whole windows; `merge`: leftovers join the
    last whole slot, no slot if n < size. Available once its window ends at or before i. A
    `convolution` has weights of the call, `pool_kernels`, and drops leftovers.
    """

    size: int
    operation: PoolOperation
    stride: int
    tail: PoolTail


@frozen
class Project:
    """Mixtures of all positions (Linformer): by `project_weights`, or drawn from a seed."""

    slots: int
    seed: int | None = None


@frozen
class Persistent:
    """Learned slots; always available."""

    slots: int


@frozen
class Store:
    """Up to `length` keys and values of earlier segments, in no place; always available."""

    length: int


@frozen
class Stream:
    """Extra tokens with rows of their own (ETC)."""

    name: str
    slots: int


@frozen
class Tree:
    """A balanced tree of spans over the tokens (BP-Transformer).

    Level 0 are the tokens, a span of the next level holds up to `branching` of this one; slots go
    level by level, left to right, the root last. Available once its span ends at or before i.
    """

    branching: int


@frozen
class Text:
    """The n tokens as the rows of a stream or a tree see them: another sequence, by its index."""


@frozen
class Encoder:
    """Another sequence; always available. Query positions are row numbers here."""


KeySource = (
    Tokens
    | Memory
    | Compressed
    | Pool
    | Project
    | Persistent
    | Store
    | Stream
    | Tree
    | Text
    | Encoder
)
TOKENS = Tokens()
TEXT = Text()

Rows = Tokens | Stream | Tree
"""Whose rows ask: the tokens', those of a stream's slots, those of a tree's spans above level 0."""


def name_of(rows: Rows) -> str:
    """What a call names the rows by; those of the tokens have no name."""
    match rows:
        case Stream(name):
            return name
        case Tree():
            return "tree"
        case Tokens():
            return ""


def labels_of(name: str, counted: KeySource) -> str:
    """The run-time labels of a sequence: those of the tokens, or `NAME_SOURCE` of slots."""
    match counted:
        case Stream(own):
            return f"{name}_{own}"
        case Memory() | Encoder():
            return f"{name}_{word_of(counted)}"
        case _:
            return name


def home_of(rows: Rows) -> KeySource:
    """The source of a relation without `on` in the rules of such rows."""
    return TOKENS if isinstance(rows, Tokens) else TEXT


def word_of(source: KeySource) -> str:
    """The word for a source: as programs write it, and `tokens`."""
    return type(source).__name__.lower()
