"""One mask to programs: unions of terms, and what unions may be within.

A union is looked for among all pairs, among those of a larger term (`A & X`, `A - X`), among blocks
and among parts of the sequence. What no union explains is a run-time list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from patternc.frozen import frozen
from patternc.search.from_mask.bands import bands, dilated
from patternc.search.from_mask.boards import Bits, Board, Integers, along
from patternc.search.from_mask.cover import Candidate, candidates, cheapest, partial, wanted
from patternc.search.from_mask.grids import grids
from patternc.search.from_mask.offsets import offsets, residue_bands
from patternc.search.from_mask.positions import columns, globals_, rows
from patternc.search.from_mask.regions import regions
from patternc.search.from_mask.segments import residues, segments, shifted
from patternc.search.from_mask.supersets import documents, supersets
from patternc.search.from_mask.terms import Term, tokens
from patternc.search.from_mask.windows import windows

Boards = Sequence[Board]
Inputs = Mapping[str, NDArray[np.int64]]
# A run-time input is no shorter program than a rule that says the same.
_INPUT = 60
_PARTS = range(2, 9)
_LISTED = "pairs"
# Longer unions are no patterns; shorter ones need no further search.
_MOST = 80
_LEAST = 4


@frozen
class Solution:
    """The body of a program: `unexplained` pairs are those of its list alone."""

    text: str
    inputs: Inputs = field(default_factory=dict)
    unexplained: int = 0
    union: bool = False

    @property
    def cost(self) -> int:
        return tokens(self.text) + _INPUT * len(self.inputs)

    @property
    def rank(self) -> tuple[int, int]:
        return self.unexplained, self.cost

    @property
    def operand(self) -> str:
        """The text, as it may be an operand of `&`, `-` and `~`."""
        return f"({self.text})" if self.union else self.text


def solutions(boards: Boards, causal: bool) -> list[Solution]:
    """Programs of a mask at one length, or at several, the best first.

    `causal` is for masks without a later key: programs with that header come first, and others only
    where they are shorter.
    """
    found: list[Solution] = []
    if causal:
        below = [
            replace(board, care=board.care & (board.j <= board.i), header=True) for board in boards
        ]
        found += (
            replace(each, text=_headed(each.text), union=False) for each in _solved(below, _MOST)
        )
    bound = min((each.cost for each in found if not each.unexplained), default=_MOST)
    found += _solved(boards, bound)
    return sorted(found, key=lambda each: each.rank)


def _headed(text: str) -> str:
    return "causal" if text == "full" else f"causal\n{text}"


def _solved(boards: Boards, bound: int) -> Iterator[Solution]:
    """The union, and what is shorter than it within something else."""
    plain = _union(boards, bound, listing=len(boards) == 1)
    if plain is not None:
        yield plain
    bound = _bound(plain, bound)
    for make in (_negated, _blocks, _parts, _within, _behind):
        if bound > _LEAST:
            for found in make(boards, bound):
                yield found
                bound = _bound(found, bound)


def _bound(found: Solution | None, bound: int) -> int:
    """What another solution costs less than, to be of use."""
    return bound if found is None or found.unexplained else min(bound, found.cost)


def _terms(boards: Boards) -> Iterator[Term]:
    makers: list[Callable[[Boards], Iterator[Term]]] = [bands, dilated, columns, rows, globals_]
    makers += [segments, shifted, residues, regions, offsets, residue_bands, grids, windows]
    for make in makers:
        yield from make(boards)


def _union(boards: Boards, bound: int = _MOST, listing: bool = False) -> Solution | None:
    if not any(board.wanted.any() for board in boards):
        return Solution("none")
    if not any(board.barred.any() for board in boards):
        return Solution("full")
    known, asked = candidates(_terms(boards), boards, bound), wanted(boards)
    found = cheapest(known, asked, bound)
    if found is not None:
        return Solution(" + ".join(x.term.text for x in found[0]), union=len(found[0]) > 1)
    return _with_list(boards[0], partial(known, asked, _worth(boards[0]))) if listing else None


def _worth(board: Board) -> int:
    """The pairs that a term must explain to be kept beside a list."""
    return max(board.n, int(board.wanted.sum()) // 16)


def _with_list(board: Board, chosen: Sequence[Candidate]) -> Solution:
    held = np.zeros_like(board.target)
    for each in chosen:
        held = held | each.term.holds(board)
    rest = board.wanted & ~held
    texts = [each.term.text for each in chosen]
    text = " + ".join([*texts, f"listed({_LISTED})"])
    table = np.full((board.n, max(int(rest.sum(1).max()), 1)), -1, np.int64)
    for row, keys in enumerate(rest, board.first):
        at = np.flatnonzero(keys)
        table[row, : len(at)] = at
    return Solution(text, {_LISTED: table}, int(rest.sum()), union=len(texts) > 0)


def _negated(boards: Boards, bound: int) -> Iterator[Solution]:
    found = _union([board.negated() for board in boards], bound - 1)
    if found is not None and found.text not in ("none", "full"):
        yield replace(found, text=f"~{found.operand}", union=False)


def _blocks(boards: Boards, bound: int) -> Iterator[Solution]:
    """`blocks(B) { .. }` of the largest B whose blocks are whole or empty."""
    for size in range(min(board.n for board in boards) // 2, 1, -1):
        inner = [_blocked(board, _of_size(size)) for board in boards]
        if all(inner):
            yield from _wrapped(size, boards, [each for each in inner if each], bound - 6)
            return


def _parts(boards: Boards, bound: int) -> Iterator[Solution]:
    for parts in _PARTS:
        inner = [_blocked(board, _of_parts(parts)) for board in boards]
        if all(inner):
            found = _union([each for each in inner if each], bound - 8)
            inside = [] if found is None else [found]
            inside += _negated([each for each in inner if each], bound - 8)
            for each in inside:
                yield replace(each, text=f"blocks(parts={parts}) {{ {each.text} }}", union=False)


def _of_size(size: int) -> Callable[[Integers, int], Integers]:
    return lambda at, _n: at // size


def _of_parts(parts: int) -> Callable[[Integers, int], Integers]:
    return lambda at, n: parts * at // n


def _blocked(board: Board, block: Callable[[Integers, int], Integers]) -> Board | None:
    if board.first and block(np.array([board.first - 1]), board.n) == block(
        np.array([board.first]), board.n
    ):
        return None
    return board.blocks(block(board.i[:, 0], board.n), block(board.j[0], board.n))


def _wrapped(size: int, boards: Boards, inner: Boards, bound: int) -> Iterator[Solution]:
    """The programs of the blocks; their lists count blocks, pairs not explained are of tokens."""
    plain = _union(inner, bound, listing=len(boards) == 1)
    found = [] if plain is None else [plain]
    bound = _bound(plain, bound)
    for make in (_negated, _within):
        found += make(inner, bound)
    for each in found:
        lost = each.unexplained and _tokens(each.inputs[_LISTED], boards[0], size)
        text = f"blocks({size}) {{ {each.text} }}"
        yield replace(each, text=text, unexplained=lost, union=False)


def _tokens(table: NDArray[np.int64], board: Board, size: int) -> int:
    """The wanted pairs in listed blocks."""
    blocks = np.zeros((len(table), len(table)), np.bool_)
    row, at = np.nonzero(table >= 0)
    blocks[row, table[row, at]] = True
    held: Bits = blocks[board.i // size, board.j // size]
    return int((held & board.wanted).sum())


def _behind(boards: Boards, bound: int) -> Iterator[Solution]:
    """`within(a:) { X }` and `within(:-a) { X }`, where the rest is seen by all and sees all."""
    board = boards[0]
    if any(each.first for each in boards):
        return
    taken = ~(along(board.barred, 0) | along(board.barred, 1))
    for ends, way in ((taken, "{0}:"), (taken[::-1], ":-{0}")):
        size = int((~ends).argmax())
        if 0 < size < min(each.n for each in boards) - 1:
            yield from _with_ends(boards, size, way.format(size), bound)


def _with_ends(boards: Boards, size: int, part: str, bound: int) -> Iterator[Solution]:
    rest = f":{size}" if part.endswith(":") else f"-{size}:"
    inner = [
        each.part(size, each.n) if part.endswith(":") else each.part(0, each.n - size)
        for each in boards
    ]
    outside = f" + global([{rest}])"
    left = bound - tokens(f"within({part}) {{ }}{outside}")
    for make in (_plain, _blocks, _parts):
        for found in make(inner, left):
            if not found.unexplained:
                yield replace(found, text=f"within({part}) {{ {found.text} }}{outside}", union=True)


def _plain(boards: Boards, bound: int) -> Iterator[Solution]:
    found = _union(boards, bound)
    return iter(() if found is None else (found,))


def _within(boards: Boards, bound: int) -> Iterator[Solution]:
    """`A & X` and `A - X`, where all wanted pairs are in A, and `same(document) & X`."""
    for term in supersets(boards):
        left = bound - term.cost - 1
        if left < 2:
            continue
        held = [term.holds(board) for board in boards]
        inner = [board.within(pairs) for board, pairs in zip(boards, held, strict=True)]
        for part, sign in ((inner, "&"), ([board.negated() for board in inner], "-")):
            found = _union(part, left)
            if found is not None and found.text not in ("none", "full"):
                left = min(left, found.cost)
                yield Solution(f"{term.text} {sign} {found.operand}", union=sign == "-")
    if len(boards) == 1:
        yield from _documents(boards[0], bound)


def _documents(board: Board, bound: int) -> Iterator[Solution]:
    for labels in documents(board):
        held = (labels[board.i] == labels[board.j]) & (labels[board.i] >= 0)
        found = _union([board.within(held)], bound - 5 - _INPUT) if bound > 5 + _INPUT else None
        if found is not None:
            text = "same(document)"
            text = text if found.text == "full" else f"{text} & {found.operand}"
            yield Solution(text, {"document": labels})
