"""Schedules: what the generated module launches, in order.

Maps the layouts of every (layer, head) to groups of heads that share a kernel. Does not contain
program text.
"""

from __future__ import annotations

from patternc.algebra.atoms import Table
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.ir.modifiers import Modifier
from patternc.ir.sources import TOKENS, KeySource, Rows
from patternc.relation.relation import Combined
from patternc.schedule.work_split import Split
from patternc.tiling.classify import Classified
from patternc.tiling.tiling import Tiling


@frozen
class TableSlot:
    """Stands in an atom of a group's predicate for the table `Pass.tables[index]` of the head."""

    index: int


@frozen
class HeadClasses:
    """Position classes (`Classes`) of a pass, with an offset for each head."""

    stride: int
    residues: int
    segment: int
    offsets: tuple[int, ...]


@frozen
class Pass:
    """One launch: the pairs of one branch, or a piece of them, for all heads of the group.

    `predicate` is the whole meaning over token positions i, slots j of `source`, n and m. With
    `classes` i and j are members of one position class, n its length, and the tilings are those
    of its members. Numbers that differ between heads are `Scalar(slot)`, row h of `scalars`;
    tables are `TableSlot`s, one table per slot and head. `tilings` holds the distinct tilings,
    `tiling_of_head` the one of each head; `columns` holds the same tiles by key tile, as runs of
    query tiles of `Schedule.column_tile`. A pair counts `multiplicity` times. Rows use the q, k
    and v of `projection`, if one is named; `projected` ones among them the q of another, by
    conditions on their positions. The passes of one `softmax` share it. Long lines of
    tiles are cut for several programs: those of query tiles with `split_rows`, those of key tiles
    with `split_columns`.
    """

    predicate: Condition
    scalars: tuple[tuple[int, ...], ...]
    tables: tuple[tuple[Table, ...], ...]
    tilings: tuple[Tiling, ...]
    tiling_of_head: tuple[int, ...]
    columns: tuple[Classified, ...]
    multiplicity: int
    source: KeySource = TOKENS
    modifiers: tuple[Modifier, ...] = ()
    projection: str | None = None
    softmax: int = 0
    projected: tuple[tuple[Condition, str], ...] = ()
    classes: HeadClasses | None = None
    split_rows: Split | None = None
    split_columns: Split | None = None

    @property
    def reaches_every_row(self) -> bool:
        """Is no row outside the classes?"""
        return self.classes is None or self.classes.residues == self.classes.stride


@frozen
class Group:
    """Heads whose patterns differ in numbers only; `combined` joins several softmaxes.

    `branches` are passes over token positions, one for each branch, without tilings: the meaning
    that `passes` are cut from.
    """

    heads: tuple[int, ...]
    passes: tuple[Pass, ...]
    branches: tuple[Pass, ...]
    combined: Combined | None = None

    @property
    def cut(self) -> bool:
        """Does any pass hold less than a branch, or refer to classes?"""
        return len(self.passes) > len(self.branches) or any(item.classes for item in self.passes)


@frozen
class Schedule:
    """`groups[g]` are the groups of every layer l with `group_of_layer[l] == g`.

    `heads` or `layers` None: the program has no such header; one head (layer) stands for all.
    `reasons` say why the tiles have their shape. After the layers of the tokens' rows come, for
    each of `rows`, those of the rows of a stream or tree.
    """

    heads: int | None
    layers: int | None
    query_tile: int
    key_tile: int
    column_tile: int
    groups: tuple[tuple[Group, ...], ...]
    group_of_layer: tuple[int, ...]
    reasons: tuple[str, ...] = ()
    rows: tuple[Rows, ...] = ()
