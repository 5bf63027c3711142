"""Random rectangles for the C text."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import Structure
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FLOAT32, BFLOAT16, FLOAT16 = range(3)
TENSORS = ["q", "k", "v", "mixed", "sums", "d_out", "lse", "delta", "d_q", "d_k", "d_v"]
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


@dataclass(slots=True)
class Problem:
    """Rectangles, the arrays they are about, and the arrays that they become."""

    backward: bool
    threads: int
    kind: int
    described: dict[str, Any]
    far: int = 0
    values: dict[str, Array] = field(default_factory=dict)
    """Tensors [units or 1, positions, size], as float64; tables."""
    strides: dict[str, tuple[int, int]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    finite: bool = True
    wanted: dict[str, Array] = field(default_factory=dict)

    def structure(self, kind: type[Structure]) -> Structure:
        tensors = {name: (None, *strides) for name, strides in self.strides.items()}
        return kind(**tensors, **self.described)

    def changed(self) -> list[str]:
        return ["d_q", "d_k", "d_v"] if self.backward else ["mixed", "sums"]

    def taken(self) -> list[str]:
        names = INPUTS if self.backward else INPUTS[:3]
        return [*names, *(("lse", "delta") if self.backward else ()), *self.changed()]

    def placed(self, name: str) -> Placed | None:
        """None for an array that is not there."""
        value = self.values.get(name)
        if value is None:
            return None
        if name in TABLES:
            content = value.tobytes()
            return Placed(len(content), self.offsets.get(name, 0), ((0, content),))
        kind = self.kind if name in INPUTS else FLOAT32
        return _laid_out(encoded(value, kind), self.strides[name], self.offsets.get(name, 0))


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
        return Placed(whole, offset, chunks)
    flat = np.zeros(whole // value.itemsize, value.dtype)
    for at, line in zip(starts, lines, strict=True):
        flat[at : at + size] = line
    return Placed(whole, offset, ((0, flat.tobytes()),))


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
        "kind": kind,
        "dim": _head_size(random),
        "value_dim": _head_size(random),
        "units": _one_of(random, 1, 2, 3),
        "count": 1 if far else _one_of(random, 1, 1, 2, 3),
        "height": 2 if far else _length(random, 150),
        "width": 5 if far else _length(random, 450),
        "scale": _one_of(random, 1.0, 0.25, -0.5, 8**-0.5),
        "added": _one_of(random, 0.0, 0.0, float(np.log(3))),
        "fresh": int(random.integers(2)),
    }
    problem = Problem(backward, _one_of(random, 1, 1, 2, 5), kind, described, far=far)
    queries, positions = _draw_places(random, problem)
    _draw_allowed(random, problem)
    _draw_tensors(random, problem, queries, positions)
    return problem


def _draw_places(random: np.random.Generator, problem: Problem) -> tuple[int, int]:
    """Positions of rows and keys; how many positions that takes."""
    count, height, width = (problem.described[name] for name in ("count", "height", "width"))
    if problem.far or random.random() < 0.6:
        queries = _spaced(random, problem.described, ROW, height)
    else:
        queries = height * count + int(random.integers(3))
        rows = random.permutation(queries)[: height * count]
        problem.values["rows"] = rows.reshape(count, height).astype(np.int64)
    if problem.far or random.random() < 0.6:
        positions = _spaced(random, problem.described, KEY, width)
    else:
        positions = width + int(random.integers(1, 3))
        keys = random.integers(0, positions, (count, width))
        problem.values["keys"] = keys.astype(np.int64)
    return queries, positions


def _draw_allowed(random: np.random.Generator, problem: Problem) -> None:
    if random.random() < 0.4:
        return
    count, height, width = (problem.described[name] for name in ("count", "height", "width"))
    shape = (_one_of(random, 1, count), height, width)
    allowed = random.random(shape) < random.random()
    problem.values["allowed"] = allowed.astype(np.uint8)
    problem.described["allowed_shift"] = height * width if shape[0] > 1 else 0
    problem.offsets["allowed"] = int(random.integers(16))


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
    sizes |= dict.fromkeys(["v", "d_v", "mixed", "d_out"], told["value_dim"])
    for name in TENSORS:
        size, units = sizes.get(name, 1), told["units"]
        if name not in ("mixed", "sums") and random.random() < 0.3:
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
    exact = name not in INPUTS or multiple > 1
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
    if name == "sums":
        found[random.random(shape) < 0.2] = -np.inf
    return np.abs(found) if name == "lse" else found.astype(np.float32).astype(np.float64)


def rectangles(problem: Problem) -> Iterator[tuple[int, Array, Array, Array | bool]]:
    """Unit, rows, keys and the pairs that are allowed."""
    allowed = problem.values.get("allowed")
    for unit in range(problem.described["units"]):
        for t in range(problem.described["count"]):
            rows, keys = _places(problem, t, "rows", *ROW), _places(problem, t, "keys", *KEY)
            seen = True if allowed is None else allowed[t % len(allowed)].astype(bool)
            yield unit, rows, keys, seen


def _places(problem: Problem, t: int, table: str, first: str, shift: str, step: str) -> Array:
    told = problem.described
    if table in problem.values:
        return problem.values[table][t]
    size = told["height" if table == "rows" else "width"]
    return told[first] + t * told[shift] + told[step] * np.arange(size)


def lines(problem: Problem, name: str, unit: int, places: Array) -> Array:
    """Of a tensor; one that all units or positions share has 1 of them."""
    value = problem.values[name]
    own = places if value.shape[1] > 1 or problem.strides[name][1] else np.zeros_like(places)
    return value[unit if len(value) > 1 else 0][own]


def scores_of(problem: Problem, unit: int, rows: Array, keys: Array, seen: Array | bool) -> Array:
    told = problem.described
    products = lines(problem, "q", unit, rows) @ lines(problem, "k", unit, keys).T
    return np.where(seen, products * told["scale"] + told["added"], -np.inf)


def greatest(problem: Problem) -> float:
    """A bound of lse: all weights of a row are at most one together."""
    pairs = [scores_of(problem, u, rows, keys, seen) for u, rows, keys, seen in rectangles(problem)]
    most = max((float(part.max()) for part in pairs if part.size), default=0.0)
    size = problem.described["width"] * problem.described["count"]
    return max(most, 0.0) + float(np.log(max(size, 1)))
