"""What a random program is called with: tensors of q, k, v and of every run-time input.

From a program, a length and a seed to arrays of numpy, of float64 and int64. What an input counts
is read from its name, as `tests.fuzz.programs` writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patternc import Pattern
from patternc.ir.sources import KeySource, Pool, Tree
from patternc.language.check.runtime_inputs import DECIDING, RunTimeInput
from patternc.semantics.source_slots import slots, windows
from tests.fuzz.programs import CONVOLVED, STREAM
from tests.fuzz.searches import CLUSTERS

Array = NDArray[Any]
DIM, VALUE_DIM, BATCH = 8, 6, 2
BATCHED = ("listed", "set", "labels", "integers")
"""Roles of inputs that may decide other pairs for each batch element."""
_UNIT = re.compile(r"_([bp])(\d+)(?=_|$)")
_WIDTH = re.compile(r"_w(\d+)(?=_|$)")
_SOURCE = re.compile(r"_of_([a-z]+)(?:_(\d+)_(\d+)_(clip|drop|merge))?")


@dataclass(frozen=True)
class Call:
    """One call of a layer: `rows` ask, all of theirs, or `queries` of the tokens.

    `heads` are those of the call, also where the program names none. `sizes` are the slots of the
    sources that only the call knows. Arrays by name: `deciding` pairs, and the others. `batches`
    says which dimension of an input is the batch, where it has one.
    """

    n: int
    queries: int
    heads: int
    shared: int
    layer: int
    rows: str
    sizes: dict[str, int]
    q: Array
    k: Array
    v: Array
    deciding: dict[str, Array] = field(default_factory=dict)
    floats: dict[str, Any] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)

    def element(self, at: int) -> Call:
        """One batch element; what decides its pairs has no batch then."""
        deciding = {
            name: _of_element(value, at) if name in self.batches else value
            for name, value in self.deciding.items()
        }
        floats = {name: self._cut(name, value, at) for name, value in self.floats.items()}
        q, k, v = (part[at : at + 1] for part in (self.q, self.k, self.v))
        return replace(self, q=q, k=k, v=v, deciding=deciding, floats=floats, batches={})

    def _cut(self, name: str, value: Any, at: int) -> Any:
        if name not in self.batches:
            return value
        if isinstance(value, tuple):
            return tuple(part[at : at + 1] for part in value)
        return value.take([at], self.batches[name])


@dataclass(frozen=True)
class Sizes:
    """What a program's sources and rows have at one length."""

    n: int
    given: dict[str, int]
    sources: dict[str, KeySource]

    def slots(self, word: str) -> int:
        return slots(self.sources[word], self.n, self.given) if word in self.sources else 0


def sizes_of(pattern: Pattern, n: int, random: np.random.Generator) -> Sizes:
    """The slots of every source, those that the call decides at random."""
    found: dict[str, KeySource] = {}
    for layer in range(pattern.layers or 1):
        for rows in ("", *pattern.rows):
            for relation in pattern.relations(layer, rows):
                for source in relation.sources:
                    found.setdefault(type(source).__name__.lower(), source)
    given = {"encoder": int(random.integers(0, 30))}
    for word in ("memory", "compressed", "store"):
        if word in found:
            most = found[word].length  # type: ignore[union-attr]
            given[word] = int(most if random.random() < 0.5 else random.integers(0, most + 1))
    return Sizes(n, given, found)


def call_of(
    pattern: Pattern, sizes: Sizes, layer: int, rows: str, queries: int, random: np.random.Generator
) -> Call:
    """Tensors for one layer and one sort of rows."""
    shared = 2 if pattern.heads in (None, 2) and random.random() < 0.5 else 1
    heads = pattern.heads or 2
    count = _rows(pattern, sizes, rows) if rows else queries
    keys = (BATCH, heads // shared, sizes.n)
    q, k, v = (
        random.normal(size=shape)
        for shape in ((BATCH, heads, count, DIM), (*keys, DIM), (*keys, VALUE_DIM))
    )
    call = Call(sizes.n, count, heads, shared, layer, rows, sizes.given, q, k, v)
    several = random.random() < 0.15
    for item in pattern.inputs:
        if item.role in DECIDING:
            own = several and item.role in BATCHED and random.random() < 0.7
            batch = (BATCH,) if own else ()
            call.deciding[item.name] = _deciding(item, call, pattern, sizes, random, batch)
            call.batches.update({item.name: 0} if batch else {})
        elif rows in item.rows:
            call.floats[item.name] = value = _floats(item, call, sizes, random)
            axis = _batch_axis(item, value)
            call.batches.update({} if axis is None else {item.name: axis})
    return call


def _of_element(value: Array, at: int) -> Array:
    """Without a batch; integers keep a batch of one, else heads might be one."""
    return value[at : at + 1] if value.ndim == 3 else value[at]


def with_lists(call: Call, lists: dict[str, Array]) -> Call:
    """The same call with lists [batch, heads, rows, k] that were found in it."""
    batches = {**call.batches, **dict.fromkeys(lists, 0)}
    return replace(call, deciding={**call.deciding, **lists}, batches=batches)


def _batch_axis(item: RunTimeInput, value: Any) -> int | None:
    """Which dimension of an input is the batch, where it has one."""
    match item.role:
        case "gate":
            return value.ndim - 3 if value.ndim > 2 else None
        case "memory" | "compressed" | "store" | "stream" | "tree" | "encoder" | "projection":
            return 0
        case "token_span" | "scores" | "forgetting" | "decay":
            return 0
        case _:
            return None


def _rows(pattern: Pattern, sizes: Sizes, rows: str) -> int:
    asking = pattern.elaborated_program.rows[rows]
    total = slots(asking, sizes.n, sizes.given)
    return total - sizes.n if isinstance(asking, Tree) else total


def _counted(name: str, count: int) -> int:
    """`count` in the units of a name: blocks or parts."""
    for unit, size in _UNIT.findall(name):
        count = int(size) if unit == "p" else -(-count // int(size))
    return count


def _keys(name: str, sizes: Sizes) -> int:
    """How many keys an input's positions count, before blocks."""
    match _SOURCE.search(name):
        case None:
            return sizes.n
        case found if found[2] is not None:
            return windows(Pool(int(found[2]), "sum", int(found[3]), found[4]), sizes.n)  # type: ignore[arg-type]
        case found:
            return sizes.slots(found[1])


def _deciding(
    item: RunTimeInput,
    call: Call,
    pattern: Pattern,
    sizes: Sizes,
    random: np.random.Generator,
    batch: tuple[int, ...],
) -> Array:
    """An input that decides pairs, of each batch element its own where `batch` says so."""
    name, of_stream = item.name, item.name.endswith(f"_{STREAM}")
    asked = sizes.slots("stream") if of_stream else sizes.n
    match item.role:
        case "listed":
            keys = -(-max(_counted(name, _keys(name, sizes)), 0) // _width(name))
            lead = (pattern.heads,) if pattern.heads and random.random() < 0.5 else ()
            lead = (*batch, pattern.heads or call.heads) if batch else lead
            shape = (*lead, _counted(name, asked), int(random.integers(0, 4)))
            return random.integers(-1, keys, shape) if keys else np.full(shape, -1)
        case "labels" | "integers" as role:
            other = next((word for word in ("memory", "encoder") if name.endswith(word)), "")
            count = _counted(name, sizes.slots(other) if other else asked)
            if role == "labels":
                return random.integers(-1, 3, (*batch, count))
            own = pattern.heads and random.random() < 0.4
            lead = (pattern.heads,) if own else (1,) * len(batch)
            most = 8 if random.random() < 0.6 else max(8, count)
            return random.integers(-4, most, (*(batch or (1,) * bool(own)), *lead, count))
        case "offsets":
            return random.integers(-6, 9, int(random.integers(0, 4)))
        case "size":
            return np.array(random.integers(0, 9))
        case _:
            keys = asked if name.startswith("picked") else _keys(name, sizes)
            count = _counted(name, keys)
            return random.random((*batch, count)) < 0.3 if batch else _set(count, random)


def _width(name: str) -> int:
    """How many keys an entry of a list stands for."""
    return int(found[1]) if (found := _WIDTH.search(name)) else 1


def _set(count: int, random: np.random.Generator) -> Array:
    """Booleans, or positions that are no mistake for booleans."""
    mask = random.random(count) < 0.3
    positions = np.flatnonzero(mask)
    return positions if random.random() < 0.5 and (positions > 1).any() else mask


def _floats(item: RunTimeInput, call: Call, sizes: Sizes, random: np.random.Generator) -> Any:
    def draw(*shape: int) -> Array:
        return random.normal(size=shape)

    key_heads, heads = call.heads // call.shared, call.heads
    match item.role:
        case "persistent":
            lead = (key_heads, sizes.slots("persistent"))
            return draw(*lead, DIM), draw(*lead, VALUE_DIM)
        case "memory" | "compressed" | "store" | "stream" | "tree" | "encoder" as word:
            lead = (BATCH, key_heads, sizes.slots(word))
            return draw(*lead, DIM), draw(*lead, VALUE_DIM)
        case "project":
            shape = (sizes.slots("project"), call.n)
            shape = (key_heads, *shape) if random.random() < 0.4 else shape
            return draw(*shape) if random.random() < 0.3 else (draw(*shape), draw(*shape))
        case "convolution":
            return draw(DIM, DIM, CONVOLVED), draw(VALUE_DIM, VALUE_DIM, CONVOLVED)
        case "projection":
            return draw(*call.q.shape), draw(*call.k.shape), draw(*call.v.shape)
        case "gate":
            count = int(item.name[-1])
            lead = () if count == 2 else (count,)
            each = random.random() < 0.4
            return draw(*lead, BATCH, heads, call.queries) if each else draw(*lead, heads)
        case "scores":
            keys = -(-_counted(item.name, _keys(item.name, sizes)) // _width(item.name))
            return draw(BATCH, random.choice([1, heads]), call.queries, keys)
        case "rotations":
            rounds, buckets = map(int, item.name[len("turns") :].split("_"))
            return draw(heads, DIM, rounds, buckets // 2)
        case "means":
            return draw(heads, CLUSTERS, DIM)
        case "directions":
            lead = (heads,) if random.random() < 0.4 else ()
            return draw(*lead, int(item.name[len("directions") :]), DIM)
        case "forgetting":
            return random.random((BATCH, heads, call.n))
        case "decay":
            return draw(BATCH, heads, call.n).cumsum(2)
        case "token_span":
            return 6 * np.abs(draw(BATCH, heads, call.queries))
        case "bias":
            return draw(heads, call.queries, _keys(item.name, sizes))
        case "positions":
            return draw(call.n + sizes.slots("memory"), DIM)
        case "t5":
            return draw(int(item.name[len("steps") :]), heads)
        case "relative":
            return draw(11, DIM)
        case "relative_values":
            return draw(11, VALUE_DIM)
        case "xl" if item.name == "xl_r":
            rows = call.n + sizes.slots("memory") + sizes.slots("compressed")
            return draw(rows + 1, heads, DIM)
        case "xl":
            return draw(heads, DIM)
        case "span":
            return 6 * np.abs(draw(heads))
        case _:
            return np.abs(draw(heads))
