"""Schedules to the source of one standalone module.

The skeletons in `codegen/` hold the code, this room fills in the pattern: printed predicates, tile
runs, tables and groups. The same input gives the same text, byte for byte. Non-goals: running it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import get_args

import jinja2

from patternc.emit.inputs import POOLED, Entry, Input, entries
from patternc.emit.operands import OperandTable, pool_input
from patternc.emit.passes import Printed, layer_groups
from patternc.emit.tables import numbers
from patternc.emit.text.layout import Call, flat, laid_out, quoted
from patternc.emit.text.layout import Items as Items
from patternc.emit.triton.kernels import Role
from patternc.ir.sources import TOKENS, KeySource, Rows, Stream, Tree, name_of
from patternc.language.check.runtime_inputs import DECIDING
from patternc.language.syntax.characters import visible, visible_lines
from patternc.resources import room
from patternc.schedule import work_split
from patternc.schedule.schedule import Schedule
from patternc.version import __version__

# Parts of the skeletons that stand only where some text of the pattern names the word.
_USES = {
    "classes": "_Classes(",
    "split": "split_",
    "in_row_kernel": "_in_row_kernel(",
    "is_member_kernel": "_is_member_kernel(",
    "same_label_kernel": "_same_label_kernel(",
    "in_row": "_in_row(",
    "is_member": "_is_member(",
    "same_label": "_same_label(",
    "within_kernel": "_within_kernel(",
    "within": "_within(",
    "spans": "_Spans(",
    "spans_test": "_SpansTest(",
    "ranges": "(n):",
    "listed": "_Listed(",
    "permutation": "_Permutation(",
    "set": "_Set(",
    "constant_set": "_Constant(",
    "labels": "_Labels(",
    "random": "_Random(",
    "per_head": "_PerHead(",
    "products": "_Product(",
    "lists_test": "_ListsTest(",
    "entry_test": "_EntryTest(",
    "row_test": "_RowTest(",
    "key_test": "_KeyTest(",
    "label_test": "_LabelTest(",
    "scores": "scores=(",
    "softcap": "_SoftCap(",
    "sinks": "sink=True",
    "by_length": "by_length=True",
    "sources": '_Feed("',
    "pools": "window=(",
    "projected_rows": "_Query(rows=(",
}
# How far a kernel may be from the reference in float64, for scores and values of order one.
_BOUNDS = {"float32": "1e-4", "float16": "5e-3", "bfloat16": "3e-2"}
_NO_DIGEST = "0" * 64


def emit_module(
    schedule: Schedule,
    *,
    pattern_text: str,
    name: str,
    command: str,
    dtype: str | None,
    head_dim: int | None,
    inputs: Sequence[Input],
    lengths: Sequence[tuple[int, int] | None] = (),
    sources: Mapping[str, Sequence[KeySource]] | None = None,
) -> str:
    """The module's text; `command` regenerates the file.

    `lengths` are the least and greatest n of each layer whose grids fix it, None for others.
    `sources` are the columns of a mask in their order, by the name of the rows; without it they
    come as the passes do.
    `dtype` and `head_dim` are what the self-test runs with. The digest in the header is that of
    the text with zeros in the digest's place.
    """
    named = Printed()
    listed = entries(inputs, schedule)
    layers, chosen = layer_groups(schedule, named)
    printed = {
        "functions": "\n\n\n".join(named.functions.texts.values()),
        "kernel_functions": "\n\n\n".join(named.kernels.functions.texts.values()),
        "groups": laid_out(Items(tuple(layers)), "_GROUPS = ", 0),
        "group_of_layer": laid_out(numbers(chosen), "_GROUP_OF_LAYER = ", 0),
        **_treatments(named.treatments),
        "columns": _columns(named.treatments, schedule, sources or {}),
    }
    pools = range(len(named.treatments.pools))
    listed += tuple(Entry(pool_input(number), "pooled", POOLED) for number in pools)
    context = {
        **printed,
        "uses": {
            **_uses(printed),
            "combined": _is_combined(schedule),
            "treated": _is_treated(named, listed),
            "rows": bool(schedule.rows),
        },
        "schedule": schedule,
        "name": _inside_docstring(visible(name)),
        "label": _label(name),
        "version": __version__,
        "pattern": _inside_docstring(pattern_text),
        "command": _inside_docstring(command),
        "inputs": listed,
        **_of_rows(schedule, listed),
        "asked": tuple(item.name for item in listed if item.role in DECIDING),
        "needs_tokens": named.treatments.needs_tokens,
        "lengths": tuple(lengths) if any(lengths) else (),
        "gpu_dtypes": [(x, _BOUNDS[x]) for x in ([dtype] if dtype else ("float32", "bfloat16"))],
        **{f"{role}_kernels": named.kernels.with_role(role) for role in get_args(Role)},
        "limits": work_split,
        "log2e": math.log2(math.e),
        "ln2": math.log(2),
        "head_dim": head_dim,
    }
    zeroed = _rendered({**context, "digest": _NO_DIGEST})
    return _rendered({**context, "digest": hashlib.sha256(zeroed.encode()).hexdigest()})


def _of_rows(schedule: Schedule, inputs: Sequence[Entry]) -> dict[str, str]:
    """Whose rows there are and which inputs count them, as assignments."""
    rows = {name_of(each): each for each in (TOKENS, *schedule.rows)}
    sizes = {name: _slots_of(each) for name, each in rows.items() if name}
    # Rows that only rules which never apply would ask for are not there.
    counted = {item.name: sizes[item.counts] for item in inputs if item.counts in sizes}
    branching = [each.branching for each in schedule.rows if isinstance(each, Tree)]
    return {
        "rows_sizes": _dictionary("_ROWS", {name: str(size) for name, size in sizes.items()}),
        "counted": _dictionary("_COUNTED", {name: str(size) for name, size in counted.items()}),
        "branching": str(branching[0]) if branching else "",
    }


def _slots_of(rows: Rows) -> int:
    """How many they are; 0 where that follows from the number of tokens."""
    return rows.slots if isinstance(rows, Stream) else 0


def _dictionary(name: str, items: Mapping[str, str]) -> str:
    if not items:
        return f"{name} = {{}}"
    lines = "".join(f'    "{key}": {value},\n' for key, value in items.items())
    return f"{name} = {{\n{lines.replace(chr(39), chr(34))}}}"


def _treatments(treatments: OperandTable) -> dict[str, str]:
    """What asks and what is asked, as assignments of the module."""
    return {
        "queries": laid_out(Items(tuple(treatments.queries)), "_QUERIES = ", 0),
        "feeds": laid_out(Items(tuple(treatments.feeds)), "_FEEDS = ", 0),
        "score_tables": laid_out(Items(tuple(treatments.tables)), "_SCORE_TABLES = ", 0),
    }


def _columns(
    treatments: OperandTable, schedule: Schedule, sources: Mapping[str, Sequence[KeySource]]
) -> str:
    """The order of a mask's columns, with other rows than the tokens' by their name."""
    orders = {}
    for name in ["", *map(name_of, schedule.rows)]:
        known = {**dict.fromkeys(sources.get(name, ())), **treatments.columns}
        words = [treatments.columns[each] for each in known if each in treatments.columns]
        orders[name] = tuple(map(quoted, words))
    if not schedule.rows:
        return laid_out(Items(orders[""]), "_COLUMNS = ", 0)
    return _dictionary("_COLUMNS", {name: flat(Items(order)) for name, order in orders.items()})


def _uses(printed: Mapping[str, str]) -> dict[str, bool]:
    text = "\n".join(printed.values())
    return {part: word in text for part, word in _USES.items()}


def _is_treated(printed: Printed, inputs: Sequence[Entry]) -> bool:
    """Is there more than plain tokens with plain scores?"""
    treatments = printed.treatments
    plain = [Call("_Query", ())], [Call("_Feed", ())]
    changed = any(kernel.operations for kernel in printed.kernels.names)
    brought = any(item.role not in DECIDING for item in inputs)
    return changed or brought or (treatments.queries, treatments.feeds) != plain


def _is_combined(schedule: Schedule) -> bool:
    return any(group.combined is not None for groups in schedule.groups for group in groups)


def _rendered(context: Mapping[str, object]) -> str:
    text = _environment().get_template("module/module.py.jinja").render(context)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip() + "\n"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    """Skeletons are compiled once a process: that takes longer than filling them."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(room("codegen")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _label(name: str) -> str:
    """A name as part of an identifier: that of a file without its folder and ending."""
    words = re.findall("[0-9A-Za-z]+", PurePath(name).stem)
    return "_".join(words)[:40].rstrip("_") or "pattern"


def _inside_docstring(text: str) -> str:
    """Text that may stand between triple quotes, without blanks at line ends.

    What cannot be shown is written as an escape, so that the docstring holds it exactly.
    """
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = re.split(r"\r\n|\n|\r", escaped.strip(" \t\r\n"))
    return "\n".join(visible_lines(line.rstrip(" \t")) for line in lines)
