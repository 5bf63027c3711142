"""Whether two programs are one: a proof of it, or of a difference, or an error."""

from __future__ import annotations

from itertools import product
from zlib import crc32

import numpy as np

from patternc.algebra.evaluate import Values
from patternc.algebra.lengths import Lengths
from patternc.frontend import Frontend
from patternc.ir.sources import TOKENS
from patternc.relation.tables import HeadTables

_LENGTH, _LONG = 12, 4096


def equal(left: Frontend, right: Frontend) -> bool:
    """Whether all that a call of both can see is proved equal. Raises `NotProvedError`."""
    from patternc.analysis.equivalence.results import NotProvedError

    if _signature(left) != _signature(right):
        return False
    if left.program.program == right.program.program:
        return True
    outcomes = _outcomes(left, right)
    if "different" in outcomes:
        return False
    if "undecided" in outcomes:
        raise NotProvedError(
            f"{left.name} and {right.name}: neither proved equal nor different, since run-time "
            "inputs, draws or the size of their formulas decide; compare the texts, str(a) == "
            "str(b), or masks at the lengths you need"
        )
    return True


def fingerprint(frontend: Frontend) -> int:
    """A number that equal programs share."""
    return hash((_signature(frontend), _seen(frontend)))


def _signature(frontend: Frontend) -> tuple[object, ...]:
    """What a call names: heads, layers, rows, and run-time inputs."""
    program = frontend.program
    inputs = frozenset((each.name, each.role) for each in program.inputs)
    return program.heads, program.layers, frozenset(program.rows), inputs


def _seen(frontend: Frontend) -> object:
    """The pairs of the first layer and head at a short length, and the last row of a long one."""
    branches = frontend.relations()[0].branches
    if frontend.program.inputs or frontend.fitting() or {b.source for b in branches} - {TOKENS}:
        return None
    found = 0
    for n, first in ((_LENGTH, 0), (_LONG, _LONG - 1)):
        tables = HeadTables(n).of(TOKENS)
        at: Values = {"i": np.arange(first, n)[:, None], "j": np.arange(n)[None, :]}
        held = np.zeros((n - first, n), np.bool_)
        for branch in branches:
            held |= tables.holds(branch.predicate, at)
        found = crc32(np.packbits(held).tobytes(), found)
    return found


def _outcomes(left: Frontend, right: Frontend) -> set[str]:
    """The verdicts on every layer and head, those of one pair of relations once."""
    from patternc.analysis.equivalence.compare import verdict

    layers, found = range(left.program.layers or 1), dict[object, str]()
    for layer, rows in product(layers, ("", *left.program.rows)):
        sides = left.relations(layer, rows), right.relations(layer, rows)
        spans = [span for each in (left, right) if (span := each.fitting(layer)) is not None]
        lengths = (max(a for a, _ in spans), min(b for _, b in spans)) if spans else None
        for both in zip(*sides, strict=True):
            if both not in found:
                found[both] = verdict(*both, Lengths(lengths))
    return set(found.values())
