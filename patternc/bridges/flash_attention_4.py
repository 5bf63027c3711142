"""FlashAttention 4's arguments for any mask: a CuTe `mask_mod` as text, and lists of blocks.

`mask_mod` is called for the pairs of partial blocks, `BlockSparseTensorsTorch` lists these and the
full ones. Compiled kernels are kept by the source file's text of the function, and without a file
by its bytecode, in which numbers are not: the text names itself by `__cute_hash__`, so that it may
be executed too. `causal` and `window_size` of the call are ignored beside a mask_mod. Source:
flash-attn-4 4.0.0b36, `mask.py`, `block_sparsity.py`, `interface.py`; the text was run in CuTe's
DSL 4.8.1 on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from patternc.algebra.atoms import (
    Compared,
    Condition,
    InRow,
    IntegerTable,
    LabelTable,
    Member,
    SameLabel,
    SetTable,
    Table,
    Within,
)
from patternc.algebra.queries import fits
from patternc.algebra.simplify import FALSE, disjunction
from patternc.algebra.value_bounds import Reach
from patternc.algebra.walk import atoms_of, readings_of
from patternc.bridges.layer_masks import FormatError, verify_mask
from patternc.emit.text.expressions import CUTE, Names, Printer, simplified
from patternc.emit.text.functions import assignments
from patternc.emit.text.layout import AND, COMPARISON, OR, Chain, Leaf, Text, statement
from patternc.emit.text.subexpressions import aliases, operands
from patternc.emit.triton.register_pressure import INT32, MOST_POSITIONS
from patternc.ir.formula import Atom, Constant, Expression, FloorDivide, Variable
from patternc.pattern import Pattern
from patternc.schedule.head_groups import with_slots

_NAME = "FlashAttention 4"
_READ = SetTable | LabelTable | IntegerTable
_NAMES = Names(unsigned=frozenset({"i", "j", "n"}))
_IMPORTS = """\
import cutlass
import cutlass.cute as cute
from flash_attn.cute import utils
"""
_HELPERS = {
    "_same_label_of_pair": """\
def _same_label_of_pair(labels, b, _h, row, key):
    return (labels[b, row] == labels[b, key]) & (labels[b, row] >= 0)
""",
    "_is_member_of_pair": """\
def _is_member_of_pair(members, b, _h, position):
    return members[b, position] != 0
""",
    "_read_of_pair": """\
def _read_of_pair(integers, b, _h, position):
    return integers[b, position]
""",
}


def mask_mod(pattern: Pattern, *, layer: int = 0) -> str:
    """Python text that defines `mask_mod` of a layer, for every n, with queries as the last rows.

    Labels, sets and integers of the call are `aux_tensors`, in the order that the text says: int32
    [batch, n] on the device. Raises `FormatError` for draws, lists and other tables that no such
    tensor holds, for other sources than the tokens, and for numbers beyond int32. What the layer
    has beside its mask is no part of it: `block_sparse_tensors` refuses that unless it is meant.
    """
    verify_mask(pattern, layer, True, _NAME)
    of_heads = _conditions(pattern, layer)
    tables = _tables(of_heads)
    body = _statements(_merged([with_slots(x, tables) for x in of_heads]))
    used = [text for name, text in _HELPERS.items() if name in body]
    return "\n\n".join([_IMPORTS, *used, _function(pattern, layer, tables, body)])


def block_sparse_tensors(
    pattern: Pattern,
    n: int,
    block_size: tuple[int, int] = (256, 128),
    *,
    layer: int = 0,
    mask_only: bool = False,
    backward: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Keywords of `BlockSparseTensorsTorch`: keys of each row, or `backward` rows of each key.

    Those of `block_sparse_tensors_bwd` are the backward ones; with `write_order=True` or `False`
    they have the order of `deterministic=True` too. Queries of a block are a multiple of the
    kernel's (256 on SM100, 128 on SM90), keys one of its 128 keys, and its own tile_n on SM90.
    Other options are `Pattern.block_mask`'s. Raises `FormatError` where the layer is more than its
    mask, unless `mask_only`, and for blocks that no kernel has.
    """
    verify_mask(pattern, layer, mask_only, _NAME)
    _verify_blocks(block_size)
    found = pattern.block_mask(n, layer=layer, block_size=block_size, **options)
    side = "q" if backward else "kv"
    lists = {
        "mask_block_cnt": getattr(found, f"{side}_num_blocks"),
        "mask_block_idx": getattr(found, f"{side}_indices"),
        "full_block_cnt": getattr(found, f"full_{side}_num_blocks"),
        "full_block_idx": getattr(found, f"full_{side}_indices"),
        "block_size": found.BLOCK_SIZE,
    }
    if not backward or found.dq_write_order is None:
        return lists
    return lists | {
        "dq_write_order": found.dq_write_order,
        "dq_write_order_full": found.dq_write_order_full,
        "spt": found.dq_kv_order_spt,
    }


def _verify_blocks(block_size: Sequence[int]) -> None:
    rows, keys = block_size
    if rows % 64 or keys % 16:
        raise FormatError(
            f"{_NAME} has no blocks of {rows} queries and {keys} keys: queries are a multiple of "
            "64 (256 on SM100), keys one of 16 (128 on SM100)"
        )


def _conditions(pattern: Pattern, layer: int) -> list[Condition]:
    """Which pairs each head has."""
    relations = pattern.relations(layer)
    return [simplified(disjunction(x.predicate for x in one.branches)) for one in relations]


def _tables(conditions: Sequence[Condition]) -> dict[Table, int]:
    """The tensors that a text asks, and the order in which they are passed.

    Raises `FormatError` for a table that no tensor [batch, n] holds.
    """
    found: dict[Table, int] = {}
    for atom in (atom for condition in conditions for atom in atoms_of(condition)):
        for table, *positions in _asked(atom):
            _verify_table(table, positions)
            found.setdefault(table, len(found))
    return found


def _asked(atom: Atom) -> Iterator[tuple[Any, ...]]:
    """Tables, and the positions at which they are asked."""
    match atom:
        case SameLabel(table, row, key):
            yield table, row, key
        case Member(table, position):
            yield table, position
        case Compared(_, left, right):
            yield from ((x.table, x.position) for x in readings_of(left, right))
        case InRow(table) | Within(table):
            yield (table,)
        case _:
            raise TypeError(f"no tables of {type(atom).__name__}")


def _verify_table(table: Table, positions: Iterable[Expression]) -> None:
    name = getattr(table, "name", "")
    if not isinstance(table, _READ) or getattr(table, "size", False):
        told = f"`{name}`" if name else "a table of draws or constants"
        raise FormatError(
            f"{_NAME} would look up {told} for every pair, which is not written; "
            "FlexAttention takes it: Pattern.block_mask and Pattern.mask_mod"
        )
    if not all(map(_is_inside, positions)):
        raise FormatError(
            f"{_NAME} reads `{name}` of the query and of the key; this layer asks it elsewhere"
        )


def _is_inside(position: Expression) -> bool:
    match position:
        case Variable("i" | "j") | FloorDivide(Variable("i" | "j"), Constant()):
            return True
        case _:
            return False


def _merged(of_heads: Sequence[Condition]) -> dict[Condition, tuple[int, ...]]:
    """The distinct conditions, each with its heads; none where all heads have it."""
    distinct = list(dict.fromkeys(of_heads))
    if len(distinct) == 1:
        return {distinct[0]: ()}
    heads = {one: tuple(h for h, x in enumerate(of_heads) if x == one) for one in distinct}
    return {one: found for one, found in heads.items() if one != FALSE}


def _statements(conditions: dict[Condition, tuple[int, ...]]) -> str:
    whole = disjunction(conditions)
    reach = Reach(MOST_POSITIONS, MOST_POSITIONS, 1)
    if not all(fits(value, INT32, reach) for value in operands(whole)):
        raise FormatError(f"{_NAME} computes in int32, and this layer has numbers beyond")
    shared = aliases(whole)
    printer = Printer(CUTE, _NAMES, aliases=shared)
    parts = [_of_heads(heads, printer.condition(x)) for x, heads in conditions.items()]
    seen = parts[0] if len(parts) == 1 else Chain(OR, parts[0], _rest("|", parts[1:]))
    return assignments(shared, Printer(CUTE, _NAMES)) + statement(seen, "seen = ", 4)


def _of_heads(heads: Iterable[int], seen: Text) -> Text:
    chosen = [Chain(COMPARISON, Leaf("h"), (("==", Leaf(str(head))),)) for head in heads]
    if not chosen:
        return seen
    own = chosen[0] if len(chosen) == 1 else Chain(OR, chosen[0], _rest("|", chosen[1:]))
    return Chain(AND, own, (("&", seen),))


def _rest(operator: str, parts: Iterable[Text]) -> tuple[tuple[str, Text], ...]:
    return tuple((operator, part) for part in parts)


def _function(pattern: Pattern, layer: int, tables: Iterable[Any], body: str) -> str:
    lines = [f"# Layer {layer} of"] if pattern.layers else []
    lines += [f"# {line}".rstrip() for line in pattern.text.strip().splitlines()]
    lines += [f"# aux_tensors[{k}]: {_described(table)}" for k, table in enumerate(tables)]
    lines += [
        "@cute.jit",
        "def mask_mod(batch, head, m_idx, n_idx, seqlen_info, aux_tensors):",
        "    n = seqlen_info.seqlen_k",
        "    b, h, j = batch[0], head[0], n_idx[0]",
        "    i = m_idx[0] + n - seqlen_info.seqlen_q",
        *(f"    table{k} = aux_tensors[{k}]" for k, _ in enumerate(tables)),
        body,
        "    return utils.scalar_to_ssa(seen, cutlass.Boolean)",
    ]
    digest = sha256("\n".join(lines).encode()).hexdigest()[:16]
    return "\n".join([*lines, "", "", f'mask_mod.__cute_hash__ = "{digest}"', ""])


def _described(table: Any) -> str:
    positions = "n" if table.block == 1 else f"n / {table.block}, rounded up"
    holds = "1 for a member, else 0" if isinstance(table, SetTable) else "an integer of each"
    return f"`{table.name}`, int32 [batch, {positions}], {holds}"
