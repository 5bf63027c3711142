"""What holds of every program: all rooms say the same of its pairs, tiles, counts and outputs.

For a few lengths, every layer (of many, some) and all rows: the evaluator, the generated module,
`pairs`, `layout` tile by tile, the report's counts, and attention on the CPU and by dense masks,
now and then also by interpreted kernels and with gradients, against `tests.fuzz.dense`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import torch

from patternc import Pattern
from patternc.layout.at import Layout
from patternc.relation.errors import LengthError
from patternc.relation.relation import Relation
from patternc.relation.tables import HeadTables
from patternc.requests import of_head
from patternc.runtime.load import load_module, module_path
from tests.fuzz.calls import Call, Sizes, call_of, sizes_of
from tests.fuzz.dense import Head, attended
from tests.fuzz.failures import DisagreementError, Failures, failures

SECONDS = 10.0
LENGTHS = (0, 1, 2, 3, 7, 13, 15, 16, 17, 29, 31, 32, 33, 47, 48, 61, 64, 65, 97)
TILES = ((16, 16), (32, 16), (16, 32), (64, 32), (128, 128))
MOST_LAYERS = 3
KERNELS, GRADIENTS, REPORTS = 0.05, 0.15, 0.5
"""How often the dearer checks are made."""

Checks = dict[str, Callable[[], Any]]


@dataclass(frozen=True)
class Case:
    """A program with its module, at one length."""

    pattern: Pattern
    module: ModuleType
    sizes: Sizes
    layer: int
    rows: str
    call: Call
    tile: tuple[int, int]

    @property
    def known(self) -> dict[str, Any]:
        """What the evaluator and the counts are told."""
        rows = {"rows": self.rows} if self.rows else {}
        return {"layer": self.layer, "slots": self.sizes.given, **rows, **self.call.deciding}

    @property
    def tensors(self) -> dict[str, Any]:
        """The same for the module."""
        deciding = {name: torch.from_numpy(value) for name, value in self.call.deciding.items()}
        return {**self.known, **deciding}


def agree(text: str, seed: int) -> Failures:
    """Everything that differs for one program; it must be one."""
    random = Random(f"agree {seed}")
    try:
        pattern = Pattern.parse(text)
        lengths = _lengths(pattern, random)
        tile = random.choice(TILES)
        module = load_module(pattern.compile(tiles=tile))
        found: Failures = {}
        for n in lengths:
            for case in _cases(pattern, module, n, tile, random):
                found |= failures(_checks(case, random), SECONDS)
        return found
    except LengthError:
        return {}
    finally:
        _forget()


def compiles(text: str, seed: int) -> Failures:
    """As `agree`, and what goes wrong on the way to the module."""
    found: Failures = {}
    outer = failures({"compile": lambda: found.update(agree(text, seed))}, 2.5 * SECONDS)
    return outer | found


def _lengths(pattern: Pattern, random: Random) -> list[int]:
    spans = [pattern.fitting(layer) for layer in range(pattern.layers or 1)]
    known = [span for span in spans if span is not None]
    if not known:
        return sorted(random.sample(LENGTHS, 2))
    low, high = max(low for low, _ in known), min(high for _, high in known)
    return sorted({low, high}) if low <= high <= LENGTHS[-1] else []


def _cases(
    pattern: Pattern, module: ModuleType, n: int, tile: tuple[int, int], random: Random
) -> Iterator[Case]:
    sizes = sizes_of(pattern, n, np.random.default_rng(random.getrandbits(32)))
    layers = range(pattern.layers or 1)
    for layer in random.sample(layers, min(len(layers), MOST_LAYERS)):
        for rows in ("", *pattern.rows):
            most = n if any(item.role == "positions" for item in pattern.inputs) else 2 * n
            queries = n if rows or random.random() < 0.5 else random.randint(0, most)
            draws = np.random.default_rng(random.getrandbits(32))
            call = call_of(pattern, sizes, layer, rows, queries, draws)
            yield Case(pattern, module, sizes, layer, rows, call, tile)


def _forget() -> None:
    """Lets go of modules: there are thousands in a run."""
    for name in [name for name in sys.modules if name.startswith("patternc_module_")]:
        del sys.modules[name]
        module_path(name).unlink(missing_ok=True)


def _checks(case: Case, random: Random) -> Checks:
    checks: Checks = {
        "mask": lambda: _masks(case),
        "pairs": lambda: _pairs(case),
        "layout": lambda: _layouts(case, random.choice([(16, 16), (8, 32), case.tile, (5, 3)])),
        "cpu": lambda: _attends(case, "cpu", torch.float64, 1e-9),
        "reference": lambda: _attends(case, "reference", torch.float64, 1e-9),
    }
    if case.sizes.n and not case.rows and random.random() < REPORTS:
        checks["report"] = lambda: _reports(case)
    if random.random() < GRADIENTS:
        checks["gradients on the CPU"] = lambda: _differentiates(case, "cpu", torch.float64, 1e-8)
    if random.random() < KERNELS and case.call.queries <= case.sizes.n <= 48:
        checks["kernels"] = lambda: _attends(case, "triton", torch.float32, 2e-4)
        checks["gradients of kernels"] = lambda: _differentiates(
            case, "triton", torch.float32, 1e-3
        )
    return checks


# --- pairs --------------------------------------------------------------------------------------


def _wanted(case: Case) -> Any:
    return case.pattern.multiplicity(case.sizes.n, **case.known)


def _masks(case: Case) -> None:
    """`mask`, `multiplicity` and those of the module, for all and for some queries."""
    n, all_rows = case.sizes.n, _wanted(case)
    if not np.array_equal(case.pattern.mask(n, **case.known), all_rows > 0):
        raise DisagreementError("`mask` is not where `multiplicity` is above 0")
    _same_as_module(case, all_rows, {})
    if not case.rows and case.call.queries != n:
        queries = {"queries": case.call.queries}
        _same_as_module(case, case.pattern.multiplicity(n, **queries, **case.known), queries)


def _same_as_module(case: Case, wanted: Any, queries: dict[str, int]) -> None:
    found = case.module.multiplicity(case.sizes.n, **queries, **case.tensors).numpy()
    found = np.broadcast_to(found, (len(wanted), *found.shape[1:]))
    if found.shape == wanted.shape and np.array_equal(found, wanted):
        return
    if np.array_equal(_in_any_order(found), _in_any_order(wanted)):
        raise DisagreementError("the module has its columns in another order")
    raise DisagreementError(f"the module has another mask: {found.shape} and {wanted.shape}")


def _in_any_order(counts: Any) -> Any:
    """Columns sorted, so that only their order may differ."""
    columns = counts.reshape(-1, counts.shape[-1])
    return columns[:, np.lexsort(columns)] if columns.size else columns


def _pairs(case: Case) -> None:
    wanted = _wanted(case).sum((1, 2)).tolist()
    found = case.pattern.pairs(case.sizes.n, **case.known)
    if found != wanted:
        raise DisagreementError(f"`pairs` is not the sum of the mask: {found}, not {wanted}")


# --- tiles --------------------------------------------------------------------------------------


def _layouts(case: Case, block: tuple[int, int]) -> None:
    """Every tile, by rows and by columns, against the pairs of its branch."""
    known = {**case.known}
    layout = case.pattern.layout(case.sizes.n, block, **known)
    tables = case.pattern._tables(  # what each head's relation asks
        case.sizes.n, case.call.deciding, case.sizes.given, case.rows
    )
    relations = cycle(case.pattern.relations(case.layer, case.rows))
    full, partial = [], []
    for head, (own, relation) in enumerate(zip(tables, relations, strict=False)):
        kinds = _tiles(layout, head, relation, own)
        full.append(sum(int((kind == 2).sum()) for kind in kinds))
        partial.append(sum(int((kind == 1).sum()) for kind in kinds))
    counts = layout.counts()
    if (list(counts.full), list(counts.partial)) != (full, partial):
        raise DisagreementError(f"`counts` of a layout differ from its rows: {counts}")


def _tiles(layout: Layout, head: int, relation: Relation, tables: HeadTables) -> list[Any]:
    """The kinds of the tiles of each branch: 0 not listed, 1 partial, 2 full."""
    height, width = layout.query_tile, layout.key_tile
    found = []
    for branch in relation.branches:
        own = tables.of(branch.source)
        i, j = np.arange(own.n)[:, None], np.arange(own.m)[None, :]
        dense = np.broadcast_to(own.holds(branch.predicate, {"i": i, "j": j}), (own.n, own.m))
        found.append((dense, np.zeros((-(-own.n // height), -(-own.m // width)), np.int64)))
    by_column = [np.zeros_like(kinds) for _, kinds in found]
    for a in range(max((len(kinds) for _, kinds in found), default=0)):
        for tile in layout.row(head, a):
            _note(found[tile.branch][1], a, tile.index, tile.kind)
    for b in range(max((kinds.shape[1] for _, kinds in found), default=0)):
        for tile in layout.column(head, b):
            _note(by_column[tile.branch], tile.index, b, tile.kind)
    for (dense, kinds), columns, branch in zip(found, by_column, relation.branches, strict=True):
        if not np.array_equal(kinds, columns):
            raise DisagreementError(f"tiles by rows and by columns differ: {kinds} and {columns}")
        _check_kinds(dense, kinds, height, width, exact=not branch.conjuncts)
    return [kinds for _, kinds in found]


def _note(kinds: Any, a: int, b: int, kind: str) -> None:
    if not (0 <= a < kinds.shape[0] and 0 <= b < kinds.shape[1]):
        raise DisagreementError(f"a tile outside the plane: {(a, b)} of {kinds.shape}")
    if kinds[a, b]:
        raise DisagreementError(f"a tile is listed twice: {(a, b)}")
    kinds[a, b] = 2 if kind == "full" else 1


def _check_kinds(dense: Any, kinds: Any, height: int, width: int, exact: bool) -> None:
    """Tables and formulas together may leave a full tile partial, and list one without pairs."""
    for (a, b), kind in np.ndenumerate(kinds):
        tile = dense[a * height : (a + 1) * height, b * width : (b + 1) * width]
        whole = bool(tile.all()) and tile.shape[1] == width
        if kind == 0 and tile.any():
            raise DisagreementError(f"a tile with pairs is not listed: {(a, b)}")
        if kind == 2 and not whole:
            raise DisagreementError(f"a full tile lacks pairs: {(a, b)}")
        if kind == 1 and exact and (whole or not tile.any()):
            raise DisagreementError(f"a partial tile is full or empty: {(a, b)}")


# --- the report ---------------------------------------------------------------------------------


def _reports(case: Case) -> None:
    """Counts of the report, of the tokens' and of other rows."""
    given = {"slots": case.sizes.given, **case.call.deciding}
    report = case.pattern.report(case.sizes.n, case.layer + 1, **given)
    if not all((str(report), report.markdown(), report.json())):
        raise DisagreementError("the report is empty")
    facts = report.facts.layers[case.layer]
    wanted = _wanted(case).sum((1, 2)).tolist()
    for head, count in enumerate(facts.cost.heads):
        found = count.with_multiplicity
        if not found.least <= wanted[head] <= found.most:
            raise DisagreementError(f"the report counts other pairs: {found}, not {wanted[head]}")
    for cost in facts.others:
        asked = {**case.known, "rows": cost.name}
        pairs = case.pattern.multiplicity(case.sizes.n, **asked).sum((1, 2)).tolist()
        if None not in cost.pairs and list(cost.pairs) != pairs:
            raise DisagreementError(f"the report counts other pairs of {cost.name}: {cost.pairs}")


# --- attention ----------------------------------------------------------------------------------


def _attends(case: Case, backend: str, dtype: torch.dtype, bound: float) -> None:
    call, combined = case.call, False
    leaves = _leaves(call, dtype)
    found = case.module.attention(**leaves, **_options(case, backend), **_deciding(call))
    for head in range(call.heads):
        inputs = of_head(call.deciding, case.pattern.inputs, head)
        pattern = case.pattern._resolved(case.layer, head, case.rows)
        combined |= pattern.combination is not None
        wanted, _ = attended(Head(call, head, pattern, inputs))
        _close(found[:, head].detach().double().numpy(), wanted, bound, f"{backend} output")
    if not combined:
        _sums(case, leaves, backend, bound)


def _sums(case: Case, leaves: dict[str, Any], backend: str, bound: float) -> None:
    call = case.call
    options = {**_options(case, backend), "return_lse": True}
    _, lse = case.module.attention(**leaves, **options, **_deciding(call))
    for head in range(call.heads):
        inputs = of_head(call.deciding, case.pattern.inputs, head)
        pattern = case.pattern._resolved(case.layer, head, case.rows)
        _, wanted = attended(Head(call, head, pattern, inputs))
        _close(lse[:, head].detach().double().numpy(), wanted, bound, f"{backend} lse")


def _options(case: Case, backend: str) -> dict[str, Any]:
    rows = {"rows": case.rows} if case.rows else {}
    return {"layer": case.layer, "backend": backend, **rows}


def _deciding(call: Call) -> dict[str, Any]:
    return {name: torch.from_numpy(value) for name, value in call.deciding.items()}


def _leaves(call: Call, dtype: torch.dtype, learned: bool = False) -> dict[str, Any]:
    """q, k, v and the inputs with numbers, as tensors that may be differentiated by."""

    def leaf(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(leaf, value))
        return torch.from_numpy(np.array(value)).to(dtype).requires_grad_(learned)

    everything = {"q": call.q, "k": call.k, "v": call.v, **call.floats}
    return {name: leaf(value) for name, value in everything.items()}


def _close(found: Any, wanted: Any, bound: float, what: str) -> None:
    if found.shape != wanted.shape:
        raise DisagreementError(f"{what} has another shape: {found.shape}, not {wanted.shape}")
    if not np.allclose(found, wanted, rtol=bound, atol=bound):
        off = np.nanmax(np.abs(found - wanted)) if np.isfinite(found).any() else np.nan
        raise DisagreementError(f"{what} differs: by {off}")


def _differentiates(case: Case, backend: str, dtype: torch.dtype, bound: float) -> None:
    """Gradients are those of the dense reference, which torch itself differentiates."""
    found, wanted = _gradients(case, backend, dtype), _gradients(case, "reference", torch.float64)
    for name, one in found.items():
        _close(one, wanted[name], bound, f"{backend} gradient of {_role(case, name)}")


def _role(case: Case, name: str) -> str:
    roles = {item.name: item.role for item in case.pattern.inputs}
    return roles.get(name.split("[")[0], name)


def _gradients(case: Case, backend: str, dtype: torch.dtype) -> dict[str, Any]:
    leaves = _leaves(case.call, dtype, learned=True)
    out = case.module.attention(**leaves, **_options(case, backend), **_deciding(case.call))
    flat = {
        name if part is value else f"{name}[{place}]": part
        for name, value in leaves.items()
        for place, part in enumerate(value if isinstance(value, tuple) else (value,))
    }
    if not out.requires_grad:
        return {name: np.zeros(part.shape) for name, part in flat.items()}
    parts = torch.autograd.grad(out.square().sum(), list(flat.values()), allow_unused=True)
    return {
        name: np.zeros(leaf.shape) if part is None else part.double().numpy()
        for (name, leaf), part in zip(flat.items(), parts, strict=True)
    }
