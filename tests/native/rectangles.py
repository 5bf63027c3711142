"""Random rectangles for the C text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ctypes import Structure
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FLOAT32, BFLOAT16, FLOAT16 = range(3)
TENSORS = ["q", "k", "v", "out", "lse", "d_out", "d_lse", "d_q", "d_k", "d_v"]
TABLES = ["rows", "keys", "allowed"]
ROW, KEY = ("row", "row_shift", "row_step"), ("key", "key_shift", "step")
DIMS = ("dim", "value_dim")
INPUTS = ("q", "k", "v", "d_out")
"""Of the kind that a problem has; all other tensors are float32."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An array in memory: bytes at byte positions; `offset` from an aligned address."""

    size: int
    offset: int
    chunks: tuple[tuple[int, bytes], ...]
    item: int = 1


@dataclass(slots=True)
class Piece:
    """Rectangles of one shape, of a pass; tables where they have no order."""

    described: dict[str, Any]
    tables: dict[str, Array] = field(default_factory=dict)
    offset: int = 0
    """Of the pairs that are allowed, from an aligned address."""
    scale: float = 1.0
    added: float = 0.0

    def structure(self, kind: type[Structure], number: int) -> Structure:
        return kind(number=number, **self.described)

    def placed(self, name: str) -> Placed | None:
        if name not in self.tables:
            return None
        content = self.tables[name].tobytes()
        return Placed(len(content), self.offset if name == "allowed" else 0, ((0, content),))


@dataclass(slots=True)
class Problem:
    """Rectangles, the arrays they are about, and the arrays that they become."""

    backward: bool
    threads: int
    kind: int
    described: dict[str, Any]
    pieces: list[Piece]
    rows: int = 0
    far: int = 0
    values: dict[str, Array] = field(default_factory=dict)
    """Tensors [units or 1, positions, size], as float64."""
    strides: dict[str, tuple[int, int]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    finite: bool = True
    wanted: dict[str, Array] = field(default_factory=dict)

    def tensors(self, names: Iterable[str]) -> dict[str, tuple[None, int, int]]:
        """Descriptions whose data comes later."""
        return {name: (None, *self.strides[name]) for name in names}

    def changed(self) -> list[str]:
        return ["d_q", "d_k", "d_v"] if self.backward else ["out", "lse"]

    def taken(self) -> list[str]:
        names = INPUTS if self.backward else INPUTS[:3]
        return [*names, *(("out", "lse", "d_lse") if self.backward else ()), *self.changed()]

    def kind_of(self, name: str) -> int:
        return self.kind if name in (*INPUTS, "out") else FLOAT32

    def placed(self, name: str) -> Placed | None:
        """None for an array that is not there."""
        value = self.values.get(name)
        if value is None:
            return None
        content = encoded(value, self.kind_of(name))
        return _laid_out(content, self.strides[name], self.offsets.get(name, 0))


def _laid_out(value: Array, strides: tuple[int, int], offset: int) -> Placed:
    """Large arrays row by row, small ones whole."""
    units, positions, size = value.shape
    starts = [
        u * strides[0] + p * strides[1] for u in range(units) for p in range(positions) if size
    ]
    whole = (max(starts) + size) * value.itemsize if starts else 0
    lines = value.reshape(-1, size) if starts else []
    if whole >= 1 << 30:
        pairs = zip(starts, lines, strict=True)
        chunks = tuple((at * value.itemsize, line.tobytes()) for at, line in pairs)
        return Placed(whole, offset, chunks, value.itemsize)
    flat = np.zeros(whole // value.itemsize, value.dtype)
    for at, line in zip(starts, lines, strict=True):
        flat[at : at + size] = line
    return Placed(whole, offset, ((0, flat.tobytes()),), value.itemsize)


def encoded(value: Array, kind: int) -> Array:
    if kind == BFLOAT16:
        return (value.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return value.astype(np.float16 if kind == FLOAT16 else np.float32)


def decoded(value: Array, kind: int) -> Array:
    if kind == BFLOAT16:
        return (value.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return value.astype(np.float64)


def drawn(seed: int, far: int = 0) -> Problem:
    """A random problem; with positions `far` elements apart, a small one."""
    random = np.random.default_rng(seed)
    backward, kind = bool(random.integers(2)), int(random.integers(3))
    described = {
        "dim": _head_size(random),
        "value_dim": _head_size(random),
        "units": _one_of(random, 1, 2, 3),
    }
    found = [_draw_piece(random, far) for _ in range(_one_of(random, 1, 1, 2, 3))]
    pieces = [piece for piece, *_ in found]
    rows, keys = (max(sizes) for sizes in zip(*(sizes for _, *sizes in found), strict=True))
    problem = Problem(backward, _one_of(random, 1, 1, 2, 5), kind, described, pieces, rows, far)
    _draw_tensors(random, problem, rows, keys)
    return problem


def _draw_piece(random: np.random.Generator, far: int) -> tuple[Piece, int, int]:
    """With how many positions its rows and keys take."""
    described = {
        "count": 1 if far else _one_of(random, 1, 1, 2, 3),
        "height": 2 if far else _length(random, 150),
        "width": 5 if far else _length(random, 450),
    }
    piece = Piece(described)
    piece.scale = _one_of(random, 1.0, 0.25, -0.5, 8**-0.5)
    piece.added = _one_of(random, 0.0, 0.0, float(np.log(3)))
    sizes = _draw_places(random, piece, far)
    _draw_allowed(random, piece)
    return piece, *sizes


def _draw_places(random: np.random.Generator, piece: Piece, far: int) -> tuple[int, int]:
    """Positions of rows and keys; how many positions that takes."""
    count, height, width = (piece.described[name] for name in ("count", "height", "width"))
    if far or random.random() < 0.6:
        queries = _spaced(random, piece.described, ROW, height)
    else:
        queries = height * count + int(random.integers(3))
        rows = random.permutation(queries)[: height * count]
        piece.tables["rows"] = rows.reshape(count, height).astype(np.int64)
    if far or random.random() < 0.6:
        positions = _spaced(random, piece.described, KEY, width)
    else:
        positions = width + int(random.integers(1, 3))
        keys = random.integers(0, positions, (count, width))
        piece.tables["keys"] = keys.astype(np.int64)
    return queries, positions


def _draw_allowed(random: np.random.Generator, piece: Piece) -> None:
    if random.random() < 0.4:
        return
    count, height, width = (piece.described[name] for name in ("count", "height", "width"))
    shape = (_one_of(random, 1, count), height, width)
    allowed = random.random(shape) < random.random()
    if random.random() < 0.5:  # all pairs of some rows and keys, none elsewhere
        starts = [int(random.integers(size + 1)) for size in shape[1:]]
        allowed[:, : starts[0]] = allowed[:, :, : starts[1]] = False
        allowed[:, starts[0] :, starts[1] :] = True
    piece.tables["allowed"] = allowed.astype(np.uint8)
    piece.described["allowed_shift"] = height * width if shape[0] > 1 else 0
    piece.offset = int(random.integers(16))


def _spaced(
    random: np.random.Generator, described: dict[str, Any], names: tuple[str, str, str], size: int
) -> int:
    """Evenly spaced positions, of keys also shared by rectangles; how many that takes."""
    count = described["count"]
    first, step = int(random.integers(3)), _one_of(random, 1, 1, 1, 2)
    places = [(size * step, step), (1, step * count)]
    shift, step = _one_of(random, *places, *([(1, step)] if names == KEY else []))
    described.update(zip(names, (first, shift, step), strict=True))
    return first + (count - 1) * shift + max(size - 1, 0) * step + 1


def _one_of(random: np.random.Generator, *choices: Any) -> Any:
    return choices[random.integers(len(choices))]


def _length(random: np.random.Generator, most: int) -> int:
    """Often at the edges of vectors and tiles."""
    edges = [0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 128, 191, 192, 193, 384]
    if random.random() < 0.5:
        return int(random.choice([edge for edge in edges if edge <= most]))
    return int(random.integers(1, most + 1))


def _head_size(random: np.random.Generator) -> int:
    return int(random.choice([1, 2, 3, 7, 8, 15, 16, 17, 20, 24, 31, 32, 33, 48, 64, 80]))


def _draw_tensors(
    random: np.random.Generator, problem: Problem, queries: int, positions: int
) -> None:
    told = problem.described
    even = random.random() < 0.5  # what a product of pairs takes
    if even:
        told["dim"], told["value_dim"] = (told[name] + told[name] % 2 for name in DIMS)
    sizes = dict.fromkeys(["q", "k", "d_q", "d_k"], told["dim"])
    sizes |= dict.fromkeys(["v", "d_v", "out", "d_out"], told["value_dim"])
    for name in TENSORS:
        size, units = sizes.get(name, 1), told["units"]
        if (problem.backward or name not in ("out", "lse")) and random.random() < 0.3:
            units = 1
        shape = (units, positions if name[-1] in "kv" else queries, size)
        if name in INPUTS and random.random() < 0.05:
            shape = (units, 1, size)
        _place(random, problem, name, shape, 2 if even else 1)
        if name in problem.taken():
            problem.values[name] = _numbers(random, shape, name, problem)
    if problem.finite and problem.backward:
        problem.values["lse"] += greatest(problem)


def _place(
    random: np.random.Generator,
    problem: Problem,
    name: str,
    shape: tuple[int, int, int],
    multiple: int,
) -> None:
    """Strides, and where the array starts: inputs at any byte."""
    units, positions, size = shape
    position = size + problem.far + multiple * _one_of(random, 0, 0, 1, 3)
    unit = max(positions * position, size) + multiple * int(random.integers(3))
    if name in INPUTS and positions == 1:
        position = 0  # expanded
    problem.strides[name] = (unit if units > 1 else 0, position)
    offset = int(random.integers(16))
    exact = (problem.kind_of(name) == FLOAT32 and name not in INPUTS) or multiple > 1
    problem.offsets[name] = offset // 4 * 4 if exact else offset


def _numbers(
    random: np.random.Generator, shape: tuple[int, ...], name: str, problem: Problem
) -> Array:
    found = random.standard_normal(shape)
    if name in INPUTS:
        if random.random() < 0.1:
            found *= 1e-40 if problem.kind != FLOAT16 else 1e-7  # below the least normal number
        if random.random() < 0.1:
            places = random.random(shape) < 0.1
            found[places] = random.choice([np.nan, np.inf, -np.inf, 3e38], int(places.sum()))
            problem.finite = False
        with np.errstate(over="ignore"):
            return decoded(encoded(found, problem.kind), problem.kind)
    if name in problem.changed() and not problem.backward:
        return np.full(shape, -np.inf if name == "lse" else 0.0)  # of rows without keys
    kind = problem.kind_of(name)
    return decoded(encoded(np.abs(found) if name == "lse" else found, kind), kind)


class Rectangle(NamedTuple):
    """A unit's rows, keys and the pairs that are allowed."""

    piece: Piece
    unit: int
    rows: Array
    keys: Array
    seen: Array | bool


def rectangles(problem: Problem) -> Iterator[Rectangle]:
    for piece in problem.pieces:
        allowed = piece.tables.get("allowed")
        for unit in range(problem.described["units"]):
            for t in range(piece.described["count"]):
                rows, keys = _places(piece, t, "rows", *ROW), _places(piece, t, "keys", *KEY)
                seen = True if allowed is None else allowed[t % len(allowed)].astype(bool)
                yield Rectangle(piece, unit, rows, keys, seen)


def _places(piece: Piece, t: int, table: str, first: str, shift: str, step: str) -> Array:
    told = piece.described
    if table in piece.tables:
        return piece.tables[table][t]
    size = told["height" if table == "rows" else "width"]
    return told[first] + t * told[shift] + told[step] * np.arange(size)


def lines(problem: Problem, name: str, unit: int, places: Array) -> Array:
    """Of a tensor; one that all units or positions share has 1 of them."""
    value = problem.values[name]
    own = places if value.shape[1] > 1 or problem.strides[name][1] else np.zeros_like(places)
    return value[unit if len(value) > 1 else 0][own]


def scores_of(problem: Problem, one: Rectangle) -> Array:
    products = lines(problem, "q", one.unit, one.rows) @ lines(problem, "k", one.unit, one.keys).T
    return np.where(one.seen, products * one.piece.scale + one.piece.added, -np.inf)


def greatest(problem: Problem) -> float:
    """A bound of lse: all weights of a row are at most one together."""
    pairs = [scores_of(problem, one) for one in rectangles(problem)]
    most = max((float(part.max()) for part in pairs if part.size), default=0.0)
    size = sum(piece.described["width"] * piece.described["count"] for piece in problem.pieces)
    return max(most, 0.0) + float(np.log(max(size, 1)))
