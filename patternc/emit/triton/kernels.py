"""Passes to kernels: the parts of a kernel's text that depend on the pattern.

A pass whose heads share one tiling of a few closed forms finds its tiles inside the kernel; others
take lists of tiles, made on the device. Passes of the same text share a kernel. The surrounding
kernel text is in the templates.
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypedDict, assert_never

from patternc.algebra.atoms import (
    ConstantSet,
    InRow,
    IntegerTable,
    LabelTable,
    ListedTable,
    OffsetTable,
    PermutationTable,
    RandomTable,
    SetTable,
    SpanTable,
    Table,
    Within,
)
from patternc.algebra.queries import LARGEST
from patternc.emit.text.bounds import Bounded, Either, keys_of_rows, rows_of_keys, unbounded
from patternc.emit.text.expressions import simplified
from patternc.emit.text.functions import Functions
from patternc.emit.text.layout import Call, Leaf, laid_out
from patternc.emit.text.visible_keys import seeing_rows, seen_keys, tells_rows_without_keys
from patternc.emit.triton.loops import Inline, along_row, are_few, down_column
from patternc.emit.triton.register_pressure import effort_of, is_wide
from patternc.emit.triton.score_mods import KEYS, Line, Operation, row_of_distance
from patternc.frozen import frozen
from patternc.ir.formula import Condition
from patternc.schedule.schedule import Pass
from patternc.tiling.classify import Classified, Runs
from patternc.tiling.tiling import TableTiles, Tiling


@frozen
class TableParameters:
    """The parameters of one table: its pointer and strides, and its sizes."""

    slot: int
    sizes: tuple[str, ...]


# Alternatives whose bounds a kernel keeps in registers; more are asked of every pair.
MOST_BOUNDED = 16
Role = Literal["forward", "d_queries", "d_keys", "d_tables"]


@frozen
class Kernel:
    """What a kernel's text depends on; `d_keys` kernels hold tiles [keys, queries].

    `seen` is the function that asks keys whether a row may see them, so that others are not loaded;
    none where a row may see any key. `sees` is the function that asks rows whether they may see
    keys at all, so that the kernels of keys and tables do not load others; with `asks_sums` their
    lse2 says it too. A row may see keys of other passes `beside` this one in its softmax. Bounds
    that are run-time integers are asked behind a product, or they keep registers through it.
    """

    role: Role
    predicate: str
    parameters: tuple[str, ...]
    scalars: int
    tables: tuple[TableParameters, ...]
    kinds: tuple[str, ...] = ("partial",)
    inline: Inline | None = None
    operations: tuple[Operation, ...] = ()
    row_of_distance: str = "i"
    classes: bool = False
    effort: int = 0
    split: bool = False
    seen: str = ""
    sees: str = ""
    asks_sums: bool = False
    beside: bool = False
    reads_integers: bool = False

    @property
    def backward(self) -> bool:
        return self.role != "forward"

    @property
    def of_row(self) -> str:
        """What makes a number for each row one for each pair of a tile."""
        return "[None, :]" if self.role == "d_keys" else "[:, None]"

    @property
    def of_slot(self) -> str:
        return "[:, None]" if self.role == "d_keys" else "[None, :]"

    @property
    def query_tile(self) -> str:
        """Which `BLOCK_M` queries are held or visited: parts of a query tile."""
        if self.role != "d_keys":
            return "(a * PARTS + part)"
        return "u" if self.inline is None else "(a * PARTS + u % PARTS)"

    @property
    def heavy(self) -> bool:
        """Is there much other work for pairs than their products?"""
        return self.effort > 1

    @property
    def cuts_keys(self) -> bool:
        """May a key tile be visited in parts? What pairs look up costs registers."""
        return self.role != "d_keys" and self.heavy

    @property
    def key_tile(self) -> str:
        """Which `BLOCK_N` keys are held or visited."""
        if not self.cuts_keys:
            return "b"
        return "u" if self.inline is None else "(b * KEY_PARTS + u % KEY_PARTS)"

    @property
    def tokens(self) -> str:
        """How many keys there are; with classes m is the length of one."""
        return "tokens" if self.classes else "m"

    def turned(self, lines: tuple[str, ...]) -> list[str]:
        """Lines over tiles [queries, keys] for the tiles that this kernel holds."""
        lines = tuple(map(self.within, lines))
        if self.role != "d_keys":
            return list(lines)
        turned = {"[:, None]": "[None, :]", "[None, :]": "[:, None]"}
        return [re.sub(r"\[:, None\]|\[None, :\]", lambda at: turned[at[0]], x) for x in lines]

    def lines_of(self, op: Operation, margin: str) -> list[str]:
        """The statements that change scores, and in backward kernels find the derivative."""
        lines = [line.at(margin) for line in op.lines]
        if self.backward and op.slope:
            before = [f"{margin}op{op.number}_before = qk"] if op.asks_before else []
            lines = [*before, *lines, op.slope.at(margin)]
        return self.turned(tuple(lines))

    def value_lines(self, margin: str) -> list[str]:
        """The statements that add products with the vectors of value terms to `ds`."""
        lines = (op.of_values for op in self.operations if op.of_values)
        return self.turned(tuple(line.at(margin) for line in lines))

    def within(self, line: str) -> str:
        """A line that asks which keys j there are."""
        return line.replace("(j < m)", f"(j < {self.tokens})").replace(KEYS, self.tokens)

    @property
    def distance(self) -> str:
        """What distances are counted from, where an operation asks for them."""
        asked = any(item.uses_distance for item in self.operations)
        return self.row_of_distance if asked else ""

    @property
    def learned(self) -> list[Operation]:
        """The operations whose tables have gradients."""
        return [item for item in self.operations if item.sums or item.scattered]

    @property
    def of_keys(self) -> list[Operation]:
        """The operations with a number of each key."""
        return [item for item in self.operations if item.of_keys is not None]

    def sum_of_keys(self, op: Operation, margin: str) -> str:
        """The statement that sums the gradients of a number of each key down its column."""
        assert op.of_keys is not None
        line = Line(f"d_op{op.number}_key += ", Call("tl.sum", (op.of_keys, Leaf("1"))))
        return self.turned((line.at(margin),))[0]

    @property
    def looks_up(self) -> bool:
        """Has each pair an entry of a table?"""
        return any(item.looks_up for item in self.operations)

    def allowed_at(self, margin: str) -> str:
        """The statement that asks the predicate."""
        row, slot = ("x", "y") if self.classes else ("i", "j")
        arguments = [row + self.of_row, slot + self.of_slot, "n", "m", *self.parameters]
        call = Call(self.predicate, tuple(map(Leaf, arguments)))
        return laid_out(call, "allowed = ", len(margin))

    def seen_at(self, low: str, high: str, margin: str) -> str:
        """The statement that limits which keys are loaded: to none for those that no row sees."""
        arguments = [low, high, "y" if self.classes else "j", "n", "m", *self.parameters]
        call = Call(self.seen, tuple(map(Leaf, arguments)))
        limit = Call("tl.where", (call, Leaf(self.tokens), Leaf("0")))
        return laid_out(limit, "limit = ", len(margin))

    def sees_at(self, margin: str) -> str:
        """The statement that limits which rows are loaded: to none for those that see no keys."""
        arguments = ["x" if self.classes else "i", "n", "m", *self.parameters]
        call = Call(self.sees, tuple(map(Leaf, arguments)))
        limit = Call("tl.where", (call, Leaf("queries"), Leaf("0")))
        return laid_out(limit, "row_limit = ", len(margin))

    @property
    def vanishing(self) -> bool:
        """May a score be -inf in a full tile? Tables hold what callers put there."""
        return any(item.may_vanish for item in self.operations)

    @property
    def varying(self) -> list[str]:
        """The parameters that vary from call to call."""
        names = ["queries", "n", "m", "first", "first_tile", "tiles", "members"]
        names += [] if self.inline else ["class_lines" if self.classes else "batch_lines"]
        names += ["start", "least", "first_class", "classes"] if self.classes else []
        names += ["lowest_tile"] if self.classes and not self.inline else []
        names += {
            "forward": [],
            "d_queries": [],
            "d_keys": ["columns", "share_count"],
            "d_tables": ["first_head", "first_batch"],
        }[self.role]
        return names


class KernelNames(NamedTuple):
    """The kernels of a pass, and which of them find their tiles themselves.

    With `joined` those of the backward pass do not tell full from partial tiles.
    """

    names: tuple[str, ...]
    inline: bool
    inline_columns: bool
    joined: bool
    effort: int


@dataclass(slots=True)
class Kernels:
    """Distinct kernels by name, and the printed predicates that they call."""

    functions: Functions = field(default_factory=Functions)
    names: dict[Kernel, str] = field(default_factory=dict)

    def of(self, item: Pass, operations: tuple[Operation, ...], beside: bool) -> KernelNames:
        """The kernels of a pass, `beside` others of a softmax, and which find tiles themselves."""
        split_rows, split_columns = item.split_rows is not None, item.split_columns is not None
        forward = replace(self._kernel(item, operations), split=split_rows)
        # What looks up tables has one loop over full and partial tiles, which spares registers.
        joined = forward.looks_up
        backward = _rows(item, joined, forward.cuts_keys)
        sees = self._sees(item, list(forward.parameters))
        of_scores = tuple(each for each in operations if each.of_values is None)
        asks_sums = not tells_rows_without_keys(simplified(item.predicate))
        kernels = [
            replace(forward, operations=of_scores),
            replace(forward, role="d_queries", **backward),
            replace(
                forward,
                role="d_keys",
                # Rows without keys in the whole softmax are those that their lse2 tells.
                sees="" if asks_sums and not beside else sees,
                asks_sums=asks_sums,
                beside=beside and sees != "",
                predicate=self._predicate(
                    item, list(forward.parameters), rows_of_keys, "_allowed_#_column_kernel"
                ),
                split=split_columns,
                **_columns(item, joined),
            ),
        ]
        if forward.learned:
            # Pieces of a row would add to the same entries of its tables.
            kernels.append(replace(forward, role="d_tables", sees=sees, split=False, **backward))
        names = tuple(self._name(kernel) for kernel in kernels)
        inline, inline_columns = (kernel.inline is not None for kernel in (forward, kernels[2]))
        return KernelNames(names, inline, inline_columns, joined, forward.effort)

    def _predicate(
        self,
        item: Pass,
        parameters: list[str],
        by_position: Callable[[Condition], Bounded | Either],
        kind: str,
    ) -> str:
        allowed = by_position(simplified(item.predicate))
        many = isinstance(allowed, Either) and len(allowed.items) > MOST_BOUNDED
        if many or is_wide(allowed, item.scalars, LARGEST):
            allowed = unbounded(simplified(item.predicate), by_position)
        wide = is_wide(allowed, item.scalars)
        return self.functions.kernel_predicate(allowed, parameters, wide, kind)

    def _seen(self, item: Pass, parameters: list[str]) -> str:
        """What asks which keys are seen: see `Kernel`."""
        seen = seen_keys(simplified(item.predicate))
        wide = is_wide(Either(seen, ()), item.scalars)
        if not seen:
            return ""
        return self.functions.seen_predicate(seen, parameters, wide, "_seen_#_kernel")

    def _sees(self, item: Pass, parameters: list[str]) -> str:
        """What asks which rows see keys."""
        rows = seeing_rows(simplified(item.predicate))
        wide = is_wide(Either(rows, ()), item.scalars)
        if not rows:
            return ""
        return self.functions.sees_predicate(rows, parameters, wide, "_sees_#_kernel")

    def varying(self, dropout: bool) -> str:
        """The parameters of all kernels that are not specialised."""
        names = dict.fromkeys(name for kernel in self.names for name in kernel.varying)
        if dropout:
            names |= dict.fromkeys(("seed", "feed", "drop_threshold"))
        if any(kernel.split for kernel in self.names):
            names |= dict.fromkeys(("count", "first_row"))
        if len(" ".join(names)) <= 75:
            return f'_VARYING = "{" ".join(names)}".split()'
        lines = textwrap.wrap(" ".join(names), 94, drop_whitespace=False)
        listed = "\n".join(f'    "{line}"' for line in lines)
        return f"_VARYING = (\n{listed}\n).split()"

    def with_role(self, role: Role) -> list[tuple[str, Kernel]]:
        return [(name, kernel) for kernel, name in self.names.items() if kernel.role == role]

    def _name(self, kernel: Kernel) -> str:
        number = len(self.with_role(kernel.role))
        return self.names.setdefault(kernel, f"_{kernel.role}_{number}_kernel")

    def _kernel(self, item: Pass, operations: tuple[Operation, ...]) -> Kernel:
        scalars = len(item.scalars[0]) if item.scalars else 0
        tables = tuple(
            TableParameters(slot, tuple(f"table{slot}_{size}" for size in sizes_of(heads[0])))
            for slot, heads in enumerate(item.tables)
        )
        parameters = [f"s{slot}" for slot in range(scalars)]
        for table in tables:
            parameters += [f"table{table.slot}", *table.sizes]
        predicate = self._predicate(item, parameters, keys_of_rows, "_allowed_#_kernel")
        visits, seen = _rows(item), self._seen(item, parameters)
        effort = effort_of(item, operations, visits["inline"] is not None)
        return Kernel(
            "forward",
            predicate,
            tuple(parameters),
            scalars,
            tables,
            operations=operations,
            row_of_distance=row_of_distance(item.source),
            classes=item.classes is not None,
            effort=effort,
            seen=seen,
            reads_integers=any(isinstance(heads[0], IntegerTable) for heads in item.tables),
            **(_rows(item, cuts_keys=True) if effort > 1 else visits),
        )


class Visits(TypedDict):
    """What a kernel's loops over tiles depend on."""

    kinds: tuple[str, ...]
    inline: Inline | None


def _rows(item: Pass, joined: bool = False, cuts_keys: bool = False) -> Visits:
    """Of a kernel that goes along a query tile's row."""
    key_tile = "BLOCK_N * KEY_PARTS" if cuts_keys else "BLOCK_N"
    along = functools.partial(along_row, key_tile=key_tile)
    return _visits(item, item.tilings, along, joined, item.split_rows is not None)


def _columns(item: Pass, joined: bool) -> Visits:
    """Of a kernel that goes down a key tile's column."""
    return _visits(item, item.columns, down_column, joined, item.split_columns is not None)


def _visits(
    item: Pass,
    sides: tuple[Tiling, ...] | tuple[Classified, ...],
    printed: Callable[[Runs, Runs], Inline],
    joined: bool,
    split: bool,
) -> Visits:
    """Long lines that are cut are lists, so that the others are lists too."""
    full, partial = sides[0].full, sides[0].partial
    tile = min((min(each.query_tile, each.key_tile) for each in item.tilings), default=1)
    few = len(sides) == 1 and not item.tilings[0].products and are_few(full, partial, tile)
    few &= not split
    if joined:
        full, partial = (), full + partial
    filled = any(map(_may_fill, (each for tiles in item.tilings for each in tiles.products)))
    both = not joined and (filled or any(side.full for side in sides))
    kinds = ("full", "partial") if both else ("partial",)
    return {"kinds": kinds, "inline": printed(full, partial) if few else None}


def _may_fill(product: TableTiles) -> bool:
    """May tables say of a tile that all of its pairs are held? Lists and spans do not."""
    atoms = (item.atom for item in product.literals)
    return not any(isinstance(atom, InRow | Within) for atom in atoms)


def sizes_of(table: Table) -> tuple[str, ...]:
    """What a kernel must know of a table beside its place."""
    match table:
        case RandomTable() | ListedTable() | PermutationTable():
            return ("rows", "entries")
        case SetTable() | ConstantSet() | OffsetTable() | LabelTable() | IntegerTable():
            return ("size",)
        case SpanTable():
            return ("size", "ends")
        case _:
            assert_never(table)
