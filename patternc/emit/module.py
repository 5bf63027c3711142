"""Schedules to the source of one standalone module.

The skeletons in `codegen/` hold the code, this package fills in the pattern: printed predicates,
tile runs, tables and groups. The same input gives the same text, byte for byte. Does not run it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import get_args

import jinja2

from patternc.cache import usable_folder
from patternc.emit.backend import Request
from patternc.emit.cpu.operations import native_operations
from patternc.emit.features import features_in_use
from patternc.emit.inputs import POOLED, Entry, entries
from patternc.emit.link import linked
from patternc.emit.operands import OperandTable, pool_input
from patternc.emit.passes import Printed, layer_groups
from patternc.emit.tables import numbers
from patternc.emit.text.layout import Items as Items
from patternc.emit.text.layout import Leaf, flat, laid_out, quoted
from patternc.emit.triton.kernels import Role
from patternc.emit.uses import constants, uses_of, weight
from patternc.frozen import frozen
from patternc.ir.searches import SORTED_LISTS
from patternc.ir.sources import TOKENS, KeySource, Rows, Stream, Tree, name_of
from patternc.language.check.runtime_inputs import DECIDING
from patternc.language.syntax.characters import visible, visible_lines
from patternc.relation.relation import Relation
from patternc.resources import room
from patternc.schedule import work_split
from patternc.schedule.schedule import Schedule
from patternc.schedule.tile_sizes import Choice, choose_tiles
from patternc.version import __version__

# How far a kernel may be from the reference in float64, for scores and values of order one.
_BOUNDS = {"float32": "1e-4", "float16": "5e-3", "bfloat16": "3e-2"}
_NO_DIGEST = "0" * 64
_DIGEST_LINES = (
    re.compile(r"^(digest +)(0{64})$", re.M),
    re.compile(r'^(_NAMESPACE = "patternc_\w*_)(0{12})(?="$)', re.M),
)


@frozen
class ModuleBackend:
    """Kernels in the standalone module, which always holds the dense reference.

    The module calls `_<name>_forward` and `_<name>_backward` of its templates `sections`, in the
    folder of `codegen/` with its name, as torch operators on `devices` (an expression of Python),
    and `_check_<name>` before. `kernels`: its passes name Triton kernels; `lists`: it takes lists
    of tiles that are made at call time.
    """

    name: str
    sections: tuple[str, ...] = ()
    devices: str = '"cpu"'
    kernels: bool = False
    lists: bool = False

    def unsupported(self, schedule: Schedule) -> tuple[str, ...]:
        del schedule
        return ()

    def tile_sizes(
        self, relations: Iterable[Relation], dtype: str | None, head_dim: int | None
    ) -> Choice:
        return choose_tiles(relations, dtype, head_dim)

    def emit(self, request: Request) -> str:
        return emit_module(request, (self,))


# What a call does beside one softmax over its tokens; a file with it has no prepared calls.
_INDIRECT = ("found", "combined", "sinks", "features", "rows", "value_terms", "scores")


def emit_module(request: Request, backends: Sequence[ModuleBackend]) -> str:
    """The module's text, with the kernels of `backends` and the dense reference.

    The digest in the header is that of the text with zeros in the digest's place.
    """
    schedule, kernels = request.schedule, [each for each in backends if each.sections]
    named = Printed(
        has_kernels=any(each.kernels for each in kernels),
        has_lists=any(each.lists for each in kernels),
    )
    listed = entries(request.inputs, schedule)
    layers, chosen = layer_groups(schedule, named)
    pools = range(len(named.treatments.pools))
    listed += tuple(Entry(pool_input(x), "pooled", POOLED, decides=False) for x in pools)
    uses = uses_of(layers, named, listed, schedule)
    uses |= features_in_use(request.features, has_cpu=named.has_lists)
    if uses["sorted"]:
        listed += (Entry(SORTED_LISTS, "listed", "not to be given"),)
    native = request.native and any(each.name == "cpu" for each in kernels)
    treatments = named.treatments
    modified = {
        name: each for name, each in treatments.modifiers.items() if native and not each.of_values
    }
    context = {
        "functions": "\n\n\n".join(named.functions.texts.values()),
        "kernel_functions": "\n\n\n".join(named.kernels.functions.texts.values()),
        "groups": laid_out(Items(tuple(layers)), "_GROUPS = ", 0),
        "group_of_layer": laid_out(numbers(chosen), "_GROUP_OF_LAYER = ", 0),
        **_treatments(named.treatments),
        "columns": _columns(named.treatments, schedule, request.sources),
        "uses": uses,
        "of": constants(uses),
        "backends": {each.name: each for each in kernels},
        "native": native,
        "operations": dict(zip(modified, native_operations(modified.values()), strict=True)),
        "direct": native and not listed and not any(uses[name] for name in _INDIRECT),
        "self_test": request.self_test,
        **described(request, listed),
        "length_spans": _length_spans(request.lengths),
        "label": _label(request.name),
        **_of_rows(schedule, listed),
        "table_kinds": named.treatments.table_kinds,
        "feed_sources": named.treatments.feed_sources,
        "needs_tokens": named.treatments.needs_tokens,
        "gpu_dtypes": gpu_dtypes(request.dtype),
        "varying": named.kernels.varying(uses["dropout"]),
        **{f"{role}_kernels": named.kernels.with_role(role) for role in get_args(Role)},
        "weight": weight(uses),
        "limits": work_split,
        "log2e": math.log2(math.e),
        "ln2": math.log(2),
        "head_dim": request.head_dim,
    }
    zeroed = _rendered({**context, "digest": _NO_DIGEST})
    digest = hashlib.sha256(zeroed.encode()).hexdigest()
    for line in _DIGEST_LINES:
        zeroed = line.sub(lambda found: found[1] + digest[: len(found[2])], zeroed, count=1)
    return zeroed


def described(request: Request, inputs: Sequence[Entry]) -> dict[str, object]:
    """What every file states of its program: its text, its name, how it was made, its inputs."""
    return {
        "schedule": request.schedule,
        "name": _inside_docstring(visible(request.name)),
        "version": __version__,
        "pattern": _inside_docstring(request.pattern_text),
        "command": _inside_docstring(request.command),
        "inputs": inputs,
        "asked": tuple(x.name for x in inputs if x.role in DECIDING and x.decides),
        "lengths": tuple(request.lengths) if any(request.lengths) else (),
        "rank": request.rank,
    }


def gpu_dtypes(dtype: str | None) -> list[tuple[str, str]]:
    """What a self-test runs on a GPU, and how far from the reference results may be."""
    return [(name, _BOUNDS[name]) for name in ([dtype] if dtype else ("float32", "bfloat16"))]


def self_test_text(**context: object) -> str:
    """The test that `self_test` adds to a module, by itself."""
    return environment().get_template("module/selftest.py.jinja").render(context)


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


def _length_spans(lengths: Sequence[tuple[int, int] | None]) -> str:
    return laid_out(Items(tuple(Leaf(str(span)) for span in lengths)), "_LENGTHS = ", 0)


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


def _rendered(context: Mapping[str, object]) -> str:
    return linked(environment().get_template("module/module.py.jinja").render(context))


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Skeletons are compiled once for all processes: that takes longer than filling them."""
    folder = usable_folder("templates")
    return jinja2.Environment(
        bytecode_cache=None if folder is None else jinja2.FileSystemBytecodeCache(str(folder)),
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
