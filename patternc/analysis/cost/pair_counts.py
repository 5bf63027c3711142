"""The pairs of one head: exact at n, and as closed forms, distinct and with multiplicity.

Maps a relation and a length to two quantities. Formulas are counted by tallies, draws by how many a
row takes; what remains (draws that meet other terms, inputs of the call) is counted from tables
where they are known and not too large, and is a bound otherwise, which says so. Source of the
multiplicity: a `mix` counts a pair once for every argument that holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from patternc.algebra import simplify
from patternc.algebra.atoms import (
    Compared,
    InRow,
    IntegerTable,
    LabelTable,
    ListedTable,
    Member,
    OffsetTable,
    PermutationTable,
    RandomTable,
    SameLabel,
    SetTable,
)
from patternc.algebra.intervals import filter_of
from patternc.algebra.lengths import EVERY_LENGTH, Lengths
from patternc.algebra.walk import atoms_of, readings_of, searched_lists
from patternc.algebra.work_budget import EffortError
from patternc.analysis.cost.closed_forms import Count, Order
from patternc.analysis.cost.constant_tables import scattered
from patternc.analysis.cost.diagonals import diagonals
from patternc.analysis.cost.pair_sets import Extent, Plane
from patternc.analysis.cost.quasi_polynomial import UncountedError
from patternc.analysis.cost.random_draws import drawn, found_at_least
from patternc.analysis.cost.unions import union
from patternc.frozen import frozen
from patternc.ir.formula import Atom, Condition, Expression
from patternc.ir.sources import TOKENS, Encoder, KeySource, Pool, Tokens, Tree
from patternc.ir.terms import Found
from patternc.relation.cases import Literal, split
from patternc.relation.relation import Branch, Conjunct, Relation
from patternc.relation.tables import HeadTables, Tables
from patternc.semantics import tree_spans
from patternc.semantics.errors import InputError
from patternc.semantics.source_slots import slots
from patternc.tiling.count_pairs import TILE, pairs_at_once, pairs_of
from patternc.tiling.key_runs import key_runs

Sizes = Mapping[str, int]
# Pairs looked at one by one where no closed form is found: some seconds.
MOST_LOOKED_AT = 1 << 28
# Tokens that are counted row by row sooner than a closed form is found.
MOST_DIRECT = 1 << 14


@frozen
class Quantity:
    """A number of pairs: `least` <= it <= `most`; `form` says it for other lengths too.

    `order` is how it grows with n, the program's parameters staying as they are.
    """

    least: int
    most: int
    form: str
    order: Order
    reason: str = ""

    @property
    def exact(self) -> bool:
        return self.least == self.most


@frozen
class HeadCount:
    """The pairs of one head, and its pairs with multiplicity."""

    pairs: Quantity
    with_multiplicity: Quantity


def head_count(
    relation: Relation,
    tables: HeadTables,
    sizes: Sizes,
    grid: bool,
    lengths: Lengths = EVERY_LENGTH,
) -> HeadCount:
    """The pairs of `relation` at the length of `tables`; on a `grid` that is its only length.

    Closed forms are those of `lengths` where these have shorter ones.
    """
    n = tables.n
    alone = [(branch.multiplicity, (branch,)) for branch in relation.branches]
    united = [(1, branches) for branches in _by_source(relation.branches)]
    both = (united, alone)
    distinct, all_pairs = (
        _quantity(
            [(times, _set(part, tables, sizes, grid)) for times, part in parts], n, grid, lengths
        )
        for parts in both
    )
    return HeadCount(distinct, all_pairs)


def exact_pairs(relation: Relation, tables: HeadTables, sizes: Sizes, grid: bool) -> int:
    """The sum of mu: by closed forms where there are some and counting would take longer.

    Raises `InputError` where an input is missing, `EffortError` where there is too much to list.
    """
    return sum(
        branch.multiplicity * _exactly(branch, relation, tables, sizes, grid)
        for branch in relation.branches
    )


def distinct_pairs(relation: Relation, tables: HeadTables, sizes: Sizes, grid: bool) -> int:
    """The pairs that mu is not 0 at, each once; else as `exact_pairs`."""
    every = (_united(same) if len(same) > 1 else same[0] for same in _by_source(relation.branches))
    return sum(_exactly(branch, relation, tables, sizes, grid) for branch in every)


def _exactly(
    branch: Branch, relation: Relation, tables: HeadTables, sizes: Sizes, grid: bool
) -> int:
    _verify_given(branch, tables.of(branch.source))
    if isinstance(relation.rows, Tree):
        return tree_spans.covered_pairs(tables.n, relation.rows.branching)
    searched = _finds_given_lists(branch, tables.of(branch.source))
    if tables.n > MOST_DIRECT and relation.rows == TOKENS and not (grid or searched):
        form = _closed_form(branch, sizes)
        if form is not None and form.holds_at(tables.n):
            return form.at(tables.n)
    return pairs_of(branch, tables.of(branch.source))


def _verify_given(branch: Branch, tables: Tables) -> None:
    """Raises `InputError` before anything is counted, not after."""
    for atom in atoms_of(branch.predicate):
        match atom:
            case (
                InRow(ListedTable(name))
                | Member(SetTable(name) | OffsetTable(name))
                | SameLabel(LabelTable(name))
            ):
                tables.required(name)
            case Compared(_, left, right):
                for name in _names(left, right):
                    tables.required(name)
            case _:
                pass


def _finds_given_lists(branch: Branch, tables: Tables) -> bool:
    """Does the call bring lists that are found otherwise, and may hold fewer keys?"""
    return any(tables.is_given(table.name) for table in searched_lists(branch.predicate))


def _closed_form(branch: Branch, sizes: Sizes) -> Count | None:
    if isinstance(branch.source, Tree):
        return None
    least, most, _ = _closed(branch, (branch.formula,), extent(branch.source, sizes))
    return least if least is most else None


def _by_source(branches: Iterable[Branch]) -> list[tuple[Branch, ...]]:
    found: dict[KeySource, dict[Condition, Branch]] = {}
    for branch in branches:
        found.setdefault(branch.source, {}).setdefault(branch.predicate, branch)
    return [tuple(each.values()) for each in found.values()]


# --- one set of pairs -----------------------------------------------------------------------


@frozen
class _Set:
    """What is known of a set: for every n, and its number at the present one."""

    least: Count | None
    most: Count | None
    number: int | None
    cells: int
    reason: str = ""

    @property
    def form(self) -> Count | None:
        """The count for every n, where there is one."""
        return self.least if self.least is self.most else None

    def bounds(self, n: int) -> tuple[int, int]:
        if self.number is not None:
            return self.number, self.number
        least = self.least.at(n) if self.least else 0
        return least, min(self.most.at(n), self.cells) if self.most else self.cells


def _set(branches: tuple[Branch, ...], tables: HeadTables, sizes: Sizes, grid: bool) -> _Set:
    """The union of branches on one source."""
    whole = branches[0] if len(branches) == 1 else _united(branches)
    n = tables.n
    cells = n * tables.of(whole.source).m
    if grid:
        return _Set(None, None, _counted(whole, tables), cells)
    if isinstance(whole.source, Tree):
        return _Set(None, None, _counted(whole, tables), cells, "a tree has levels as n asks")
    slots_of = extent(whole.source, sizes)
    least, most, reason = _closed(whole, tuple(branch.formula for branch in branches), slots_of)
    if _finds_given_lists(whole, tables.of(whole.source)):
        return _Set(None, most, _counted(whole, tables), cells, "lists are given in the call")
    if least is not None and least is most and least.holds_at(n):
        return _Set(least, most, least.at(n), cells)
    return _Set(_greatest(n, least, _found(whole)), most, _counted(whole, tables), cells, reason)


def _found(whole: Branch) -> Count | None:
    """Pairs that the only search of a branch finds in any call."""
    match whole.conjuncts:
        case (Conjunct(formula, (Literal(InRow(ListedTable(found=Found()) as lists), True),)),):
            draws = found_at_least(lists, formula) if whole.keys == "n" else None
            more = _tallied([draws.plane]) if draws else None
            return Count(more.parts, draws.start, draws.multiple) if draws and more else None
        case _:
            return None


def _greatest(n: int, *counts: Count | None) -> Count | None:
    """The greatest at n of bounds from below."""
    known = [count for count in counts if count is not None and count.holds_at(n)]
    return max(known, key=lambda count: count.at(n), default=None)


def _united(branches: tuple[Branch, ...]) -> Branch:
    predicate = simplify.disjunction(branch.predicate for branch in branches)
    cases = split(predicate)
    formula = cases.pop((), simplify.FALSE)
    conjuncts = tuple(Conjunct(formula, literals) for literals, formula in cases.items())
    return Branch(predicate, formula, conjuncts, 1, branches[0].source)


def _counted(branch: Branch, tables: HeadTables) -> int | None:
    """By rows and tables; None where there is too much to look at, or the call brings them."""
    own = tables.of(branch.source)
    try:
        known = None if branch.conjuncts else pairs_at_once(branch.formula, branch.keys, own.sizes)
        if known is not None or _looked_at(branch, own) > MOST_LOOKED_AT:
            return known
        return pairs_of(branch, own)
    except (InputError, EffortError):
        return None


def _looked_at(branch: Branch, tables: Tables) -> int:
    """About how many pairs: those of the tiles that draws touch, where draws are all there is."""
    draws = [_draws(conjunct, tables.n) for conjunct in branch.conjuncts]
    runs = key_runs(branch.formula, branch.keys)
    plain = runs is not None and all(filter_of(run) == simplify.TRUE for run in runs)
    return sum(draws) if draws and all(draws) and plain else tables.n * tables.m


def _draws(conjunct: Conjunct, n: int) -> int:
    """The pairs of the tiles of one random table; 0 of anything else."""
    for literal in conjunct.literals:
        match literal.atom:
            case InRow(RandomTable(random, block, 0)) if literal.positive:
                return -(-n // block) * random.count * max(block, TILE) ** 2
            case _:
                pass
    return 0


@lru_cache(maxsize=1024)
def _closed(
    whole: Branch, formulas: tuple[Condition, ...], slots_of: Extent
) -> tuple[Count | None, Count | None, str]:
    """Counts from below and above for every n, the same where they are exact."""
    base = _tallied([Plane(item, slots_of) for item in formulas])
    if base is None:
        return None, None, "its integer sets are too large"
    if not whole.conjuncts:
        return base, base, ""
    if (listed := scattered(whole)) is not None:
        found = Count(((1, listed),))
        return found, found, ""
    if (both := _with_draws(whole, base)) is not None:
        return both, both, "the last block is shorter and may be sampled"
    return base, _above(whole, formulas, slots_of), _reason(whole)


def _tallied(planes: Sequence[Plane]) -> Count | None:
    """Pairs that any of the planes holds."""
    try:
        return Count(((1, union(tuple(planes))),))
    except UncountedError:
        found = diagonals(planes)
        return Count(((1, found),)) if found else None


def _with_draws(whole: Branch, base: Count) -> Count | None:
    draws = drawn(whole)
    more = _tallied([draws.plane]) if draws else None
    if draws is None or more is None:
        return None
    return base + Count(more.parts, draws.start, draws.multiple)


def _above(whole: Branch, formulas: tuple[Condition, ...], slots_of: Extent) -> Count | None:
    """Every table as full as it can be."""
    widths = [_width(conjunct) for conjunct in whole.conjuncts]
    free = [item.formula for item, width in zip(whole.conjuncts, widths, strict=True) if not width]
    parts = [_tallied([Plane(item, slots_of) for item in (*formulas, *free)])]
    parts += [_tallied([Plane(simplify.TRUE, width)]) for width in widths if width]
    return _total([(1, part) for part in parts])


def _width(conjunct: Conjunct) -> int:
    """At most how many keys a row of it has; 0 where the formula alone says."""
    for literal in conjunct.literals:
        match literal.atom:
            case InRow(RandomTable(random, block, 0)) if literal.positive:
                return random.count * block
            case InRow(PermutationTable(_, block, 0)) if literal.positive:
                return block
            case InRow(ListedTable(found=Found(search))) if literal.positive:
                return search.most
            case _:
                pass
    return 0


def _reason(whole: Branch) -> str:
    kinds = {kind for atom in atoms_of(whole.predicate) for kind in _kinds(atom)}
    return ", ".join(sorted(kinds))


def _kinds(atom: Atom) -> list[str]:
    match atom:
        case InRow(RandomTable()):
            return ["it depends on the random keys"]
        case InRow(ListedTable(name, found=Found())):
            return [f"`{name}` is found in the call"]
        case (
            InRow(ListedTable(name))
            | Member(SetTable(name) | OffsetTable(name))
            | SameLabel(LabelTable(name))
        ):
            return [f"`{name}` is a run-time input"]
        case Compared(_, left, right):
            return [f"`{name}` is a run-time input" for name in _names(left, right)]
        case _:
            return ["its positions are a list"]


def _names(*sides: Expression) -> list[str]:
    """The run-time integers that a comparison reads."""
    tables = (reading.table for reading in readings_of(*sides))
    return list(dict.fromkeys(table.name for table in tables if isinstance(table, IntegerTable)))


def extent(source: KeySource, sizes: Sizes) -> Extent:
    """The slots of a source at every n; an encoder has n of them where nothing else is said."""
    match source:
        case Tokens():
            return None
        case Encoder():
            return sizes.get("encoder")
        case Pool():
            return source
        case _:
            return slots(source, 0, sizes)


# --- sums -----------------------------------------------------------------------------------


def _quantity(parts: Sequence[tuple[int, _Set]], n: int, grid: bool, lengths: Lengths) -> Quantity:
    bounds = [(times, part.bounds(n)) for times, part in parts]
    least, most = (sum(times * ends[side] for times, ends in bounds) for side in (0, 1))
    if grid and least == most:
        return Quantity(least, most, f"{least} for n == {n}", "O(1)")
    reason = ", ".join(dict.fromkeys(part.reason for _, part in parts if part.reason))
    form = _total([(times, part.form) for times, part in parts])
    if form is not None:
        exact = least == most
        return Quantity(
            least, most, str(form.form(n, lengths)), form.order, "" if exact else reason
        )
    above = _total([(times, part.most) for times, part in parts])
    text = f"at most {above.form(n, lengths)}" if above else "no closed form"
    order: Order = above.order if above else "O(n**2)"
    return Quantity(least, most, f"{text} (a bound: {reason})", order, reason)


def _total(parts: Sequence[tuple[int, Count | None]]) -> Count | None:
    total = Count(())
    for times, count in parts:
        if count is None:
            return None
        total += count.times(times)
    return total
