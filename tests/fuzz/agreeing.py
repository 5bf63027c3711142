"""What holds of every program: all rooms say the same of its pairs, tiles, counts and outputs.

At one length, for every layer and all rows: the evaluator, the generated module, `pairs`, `layout`
tile by tile, the report's counts, and attention on the CPU and by dense masks, now and then also
by interpreted kernels and with gradients, against `tests.fuzz.dense`. Most programs have a small
budget of integer sets, and all rooms the tiles of the module: closed forms are found once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import torch

from patternc import Pattern
from patternc.semantics.errors import LengthError, TooManyCasesError
from tests.fuzz.attention import attends, differentiates
from tests.fuzz.calls import call_of, sizes_of
from tests.fuzz.case import Case
from tests.fuzz.failures import DisagreementError, Failures, failures
from tests.fuzz.pieces import loaded
from tests.fuzz.searching import finds, searched
from tests.fuzz.thrift import thrifty
from tests.fuzz.tiles import layouts

SECONDS = 5.0
LENGTHS = (0, 1, 2, 3, 7, 13, 15, 16, 17, 29, 31, 32, 33, 47, 48, 61, 64, 65, 97)
TILES = ((16, 16), (16, 32), (64, 32))
"""Of these the kernels of backward passes have the same tiles by columns."""
ODD_TILES, BLOCKS = ((32, 16), (128, 128)), ((8, 32), (5, 3))
SEARCHED = 0.6
"""How often lists are found and not given, where there are searches."""
KERNELS, GRADIENTS, REPORTS, ODD = 0.004, 0.15, 0.5, 0.05
"""How often the dearer checks are made."""
USUAL_BUDGET, LARGE_BUDGET = 20_000, 200_000

Checks = dict[str, Callable[[], Any]]


def agree(text: str, seed: int) -> Failures:
    """Everything that differs for one program; it must be one."""
    random = Random(f"agree {seed}")
    odd = random.random() < ODD
    tile = random.choice(ODD_TILES if odd else TILES)
    try:
        with thrifty(tile, LARGE_BUDGET if random.random() < ODD else USUAL_BUDGET):
            pattern = Pattern.parse(text)
            n = _length(pattern, random)
            if n is None:
                return {}
            with loaded(pattern.compile(tiles=tile, backends=("all",), native=True)) as module:
                return _found(list(_cases(pattern, module, n, tile, random)), random)
    except (LengthError, TooManyCasesError):
        return {}


def _found(cases: list[Case], random: Random) -> Failures:
    """What differs in any of the cases; the report is looked at in one of them."""
    found: Failures = {}
    reported = random.choice(cases) if random.random() < REPORTS else None
    for case in cases:
        checks = _checks(case, random)
        if case is reported and case.sizes.n and not case.rows:
            checks["report"] = lambda: _reports(reported.elements[0])
        found |= failures(checks, SECONDS)
    return found


def compiles(text: str, seed: int) -> Failures:
    """As `agree`, and what goes wrong on the way to the module."""
    found: Failures = {}
    outer = failures({"compile": lambda: found.update(agree(text, seed))}, 1.5 * SECONDS)
    return outer | found


def _length(pattern: Pattern, random: Random) -> int | None:
    """A length that all layers fit; None where they fit none that is short."""
    spans = [pattern.fitting(layer) for layer in range(pattern.layers or 1)]
    known = [span for span in spans if span is not None]
    if not known:
        return random.choice(LENGTHS)
    low, high = max(low for low, _ in known), min(high for _, high in known)
    return random.choice([low, high]) if low <= high <= LENGTHS[-1] else None


def _cases(
    pattern: Pattern, module: ModuleType, n: int, tile: tuple[int, int], random: Random
) -> Iterator[Case]:
    sizes = sizes_of(pattern, n, np.random.default_rng(random.getrandbits(32)))
    for layer in range(pattern.layers or 1):
        for rows in ("", *pattern.rows):
            most = (
                n if any(item.role in ("positions", "decay") for item in pattern.inputs) else 2 * n
            )
            queries = n if rows or random.random() < 0.5 else random.randint(0, most)
            draws = np.random.default_rng(random.getrandbits(32))
            call = call_of(pattern, sizes, layer, rows, queries, draws)
            case = Case(pattern, module, sizes, layer, rows, call, tile)
            yield searched(case, random) if random.random() < SEARCHED else case


def _checks(case: Case, random: Random) -> Checks:
    block = random.choice(BLOCKS) if random.random() < ODD else case.tile
    first = random.random() < 0.5
    element = random.choice(case.elements)
    checks: Checks = {
        "mask": lambda: [_masks(each) for each in case.elements],
        "pairs": lambda: _pairs(element),
        "layout": lambda: layouts(element, block),
        "cpu": lambda: attends(case, "cpu", torch.float64, 1e-9, lse=first),
        "reference": lambda: attends(case, "reference", torch.float64, 1e-9, lse=not first),
    }
    if len(case.elements) > 1:
        checks["batch"] = lambda: _of_the_batch(case)
    if case.lists:
        checks["search"] = lambda: finds(case)
        checks |= {
            f"{backend} without lists": lambda backend=backend: attends(
                case.without_lists, backend, torch.float64, 1e-9
            )
            for backend in ("cpu", "reference")
        }
    if random.random() < GRADIENTS:
        checks["gradients on the CPU"] = lambda: differentiates(case, "cpu", torch.float64, 1e-8)
    if random.random() < KERNELS and case.call.queries <= case.sizes.n <= 33:
        checks["kernels"] = lambda: attends(case, "triton", torch.float32, 2e-4, lse=first)
    if random.random() < KERNELS and case.call.queries <= case.sizes.n <= 17:
        checks["gradients of kernels"] = lambda: differentiates(case, "triton", torch.float32, 1e-3)
    return checks


# --- pairs --------------------------------------------------------------------------------------


def _masks(case: Case) -> None:
    """`mask`, `multiplicity` and those of the module, for all and for some queries."""
    n, all_rows = case.sizes.n, case.wanted
    if not np.array_equal(case.pattern.mask(n, **case.known), all_rows > 0):
        raise DisagreementError("`mask` is not where `multiplicity` is above 0")
    _same_as_module(case, all_rows, {})
    if not case.rows and case.call.queries != n:
        queries = {"queries": case.call.queries}
        _same_as_module(case, case.pattern.multiplicity(n, **queries, **case.known), queries)


def _of_the_batch(case: Case) -> None:
    """Masks of several batch elements are those of each."""
    wanted = np.stack([element.wanted for element in case.elements])
    for found in (
        case.pattern.multiplicity(case.sizes.n, **case.known),
        case.module.multiplicity(case.sizes.n, **case.tensors).numpy(),
    ):
        # What the layer does not ask for has no batch and no heads.
        if found.ndim > wanted.ndim or not (np.broadcast_to(found, wanted.shape) == wanted).all():
            raise DisagreementError(f"the batch has another mask: {found.shape}, {wanted.shape}")
    counts = wanted.sum((-2, -1))
    pairs = np.array(case.pattern.pairs(case.sizes.n, **case.known))
    if pairs.ndim > counts.ndim or not (np.broadcast_to(pairs, counts.shape) == counts).all():
        raise DisagreementError(f"`pairs` of a batch differ: {pairs}, not {counts}")


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
    wanted = case.wanted.sum((1, 2)).tolist()
    found = case.pattern.pairs(case.sizes.n, **case.known)
    if found != wanted:
        raise DisagreementError(f"`pairs` is not the sum of the mask: {found}, not {wanted}")


# --- the report ---------------------------------------------------------------------------------


def _reports(case: Case) -> None:
    """Counts of the report, of the tokens' and of other rows."""
    given = {"slots": case.sizes.given, **case.call.deciding}
    report = case.pattern.report(case.sizes.n, case.layer + 1, **given)
    if not all((str(report), report.markdown(), report.json())):
        raise DisagreementError("the report is empty")
    facts = report.facts.layers[case.layer]
    wanted = case.wanted.sum((1, 2)).tolist()
    # Heads are those of what other rows are given, too.
    wanted *= len(facts.cost.heads) // len(wanted)
    for count, pairs in zip(facts.cost.heads, wanted, strict=True):
        found = count.with_multiplicity
        if not found.least <= pairs <= found.most:
            raise DisagreementError(f"the report counts other pairs: {found}, not {pairs}")
    for cost in facts.others:
        asked = {**case.known, "rows": cost.name}
        pairs = case.pattern.multiplicity(case.sizes.n, **asked).sum((1, 2)).tolist()
        if None not in cost.pairs and list(cost.pairs) != pairs * (len(cost.pairs) // len(pairs)):
            raise DisagreementError(f"the report counts other pairs of {cost.name}: {cost.pairs}")
