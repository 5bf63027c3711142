"""Key sources as numbers: how many slots, where a slot stands, when it is available.

Every source has slots 0..m-1, m known at call time. Formulas see i, the slot j, n and m.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from patternc.algebra import simplify
from patternc.algebra.evaluate import Keys
from patternc.ir.formula import Compare, Condition, Constant, Expression, Variable
from patternc.ir.sources import (
    Compressed,
    Encoder,
    KeySource,
    Memory,
    Persistent,
    Pool,
    Project,
    Rows,
    Store,
    Stream,
    Text,
    Tokens,
    Tree,
)
from patternc.semantics import tree_spans
from patternc.semantics.errors import InputError

QUERY, SLOT, N, M = (Variable(name) for name in ("i", "j", "n", "m"))


def key_of(source: KeySource) -> Expression:
    """What j of a term means for slot j: memories may be shorter than declared, the oldest gone."""
    match source:
        case Memory():
            return simplify.subtract(SLOT, M)
        case Compressed():
            return simplify.add(SLOT, first_of(source))
        case _:
            return SLOT


def count_of(source: KeySource) -> Expression:
    """What negative positions of a listing count from; a memory's positions are negative."""
    match source:
        case Tokens():
            return N
        case Memory():
            return Constant(0)
        case Compressed(length):
            return Constant(length)
        case _:
            return M


def first_of(source: KeySource) -> Expression:
    """What j of a term is for slot 0."""
    match source:
        case Memory():
            return simplify.subtract(Constant(0), M)
        case Compressed(length):
            return simplify.subtract(Constant(length), M)
        case _:
            return Constant(0)


def keys_of(source: KeySource, count: int) -> Keys:
    """The positions that terms know the `count` slots of a call by: `key_of` as numbers."""
    match source:
        case Memory():
            return Keys(-count, 0, 0)
        case Compressed(length):
            return Keys(length - count, length, length)
        case _:
            return Keys(0, count, count)


def window_end(pool: Pool) -> Condition:
    """The window of slot j ends at or before i."""
    end = simplify.add(simplify.multiply(Constant(pool.stride), SLOT), Constant(pool.size))
    if pool.tail == "clip":
        end = simplify.minimum(end, N)
    return Compare("<=", end, simplify.add(QUERY, Constant(1)))


def slots(source: KeySource, n: int, sizes: Mapping[str, int]) -> int:
    """How many slots a source has over n tokens.

    `sizes` gives what the call decides: `memory`, `compressed`, `store` (full by default) and
    `encoder`.
    """
    match source:
        case Tokens() | Text():
            return n
        case Tree(branching):
            return tree_spans.node_count(n, branching)
        case Memory(length):
            return _at_most(sizes.get("memory", length), length, "memory")
        case Compressed(length):
            return _at_most(sizes.get("compressed", length), length, "compressed")
        case Store(length):
            return _at_most(sizes.get("store", length), length, "store")
        case Pool():
            return windows(source, n)
        case Project(count) | Persistent(count):
            return count
        case Stream(_, count):
            return count
        case Encoder():
            if "encoder" not in sizes:
                raise InputError(
                    "the length of the encoder's sequence is missing; pass slots={'encoder': m}"
                )
            return sizes["encoder"]
        case _:
            assert_never(source)


def row_count(rows: Rows, n: int) -> int:
    """How many query rows there are over n tokens."""
    match rows:
        case Tokens():
            return n
        case Stream(_, count):
            return count
        case Tree(branching):
            return tree_spans.node_count(n, branching) - n
        case _:
            assert_never(rows)


def _at_most(given: int, length: int, name: str) -> int:
    if not 0 <= given <= length:
        raise InputError(f"{name} has {given} slots; expected at most {length}")
    return given


def windows(pool: Pool, n: int) -> int:
    """Windows of a pool over n tokens."""
    if n < pool.size:
        return int(n > 0 and pool.tail == "clip")
    whole = (n - pool.size) // pool.stride + 1
    covered = max((whole - 1) * pool.stride + pool.size, whole * pool.stride)
    return whole + int(pool.tail == "clip" and covered < n)
