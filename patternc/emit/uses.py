"""What a module's templates have branches for: what its passes, queries, feeds and tables declare.

A file has no notion of what none of them declares: no field, no argument, no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from patternc.emit.inputs import Entry
from patternc.emit.operands import OperandTable
from patternc.emit.passes import Printed
from patternc.emit.text.layout import Call, Text, declarations, flat
from patternc.language.check.runtime_inputs import DECIDING
from patternc.schedule.schedule import Schedule

# What a pass of a plain pattern does not declare, so that its file has no notion of it.
_FIELDS = (
    "multiplicity",
    "query",
    "feed",
    "scale",
    "sourced",
    "softmax",
    "tiling_of_head",
    "branches",
    "joined",
)


def uses_of(
    layers: Sequence[Text], printed: Printed, inputs: Sequence[Entry], schedule: Schedule
) -> dict[str, bool]:
    """What passes, queries, feeds and tables declare: templates have branches for it."""
    treatments = printed.treatments
    said = [*layers, *treatments.queries, *treatments.feeds, *treatments.tables]
    declared = {word for text in said for word in declarations(text)}
    split = not declared.isdisjoint({"split_rows=", "split_columns="})
    told = not declared.isdisjoint({"scores=", "features="})
    treated = printed.has_lists or told or _is_treated(treatments, inputs)
    # The CPU path handles all that a pass may declare, and so do checks of what a source brings.
    every = printed.has_lists
    kept = {"query", "feed", "softmax"} if treated else set()
    return {
        **{name: every or name in kept or f"{name}=" in declared for name in _FIELDS},
        "classes": every or "_Classes" in declared,
        "split": split,
        "scores": "scores=" in declared,
        "value_terms": "of_values=" in declared,
        "key_sums": "of_keys=" in declared,
        "sinks": "sink=" in declared,
        "by_length": "by_length=" in declared,
        "encoder": every or "encoder" in treatments.feed_sources,
        "encoded": "encoder" in treatments.feed_sources,
        "efforts": "effort=" in declared,
        # Those that ask for the sizes of a pass whether queries are cut off at its beginning.
        "sized": every or not declared.isdisjoint({"tables=", "rows="}),
        "products": "_Product" in declared,
        "dropped": any("where=" in text for text in printed.functions.texts.values()),
        "verdicts": "held=" in declared,
        "lists": every or "_Tiling" in declared,
        "scalars": every or "scalars=" in declared,
        "tables": every or "tables=" in declared,
        "several": any(len(group.passes) > 1 for groups in schedule.groups for group in groups),
        "spans": "_Spans" in declared,
        "found": "search=" in declared,
        "sorted": "sorted=" in declared,
        "set": "_Set" in declared,
        "labels": "_Labels" in declared,
        "integers": any(item.role in ("integers", "size") for item in inputs),
        "sizes": "_CallSize" in declared,
        "places": "places=" in declared,
        "turned_places": "position=" in declared,
        "pools": "window=" in declared,
        "projected_rows": any(_has_rows(query) for query in treatments.queries),
        "wide": "entry=" in declared,
        "all_in": "all_in=" in declared,
        "entries": not declared.isdisjoint({"_Listed", "_Random"}),
        "combined": _is_combined(schedule),
        "features": "features=" in declared,
        "feature_labels": "same=" in declared,
        "drawn": any("seed=" in declarations(feed) for feed in treatments.feeds),
        "convolved": any("convolution" in flat(feed) for feed in treatments.feeds),
        "treated": treated,
        "rows": bool(schedule.rows),
        "sources": any(feed != Call("_Feed", ()) for feed in treatments.feeds),
    }


def weight(uses: Mapping[str, bool]) -> str:
    """The last arguments of a launch: score tables looked up by each pair, effort of the pass."""
    if uses["scores"]:
        return ", *_weight(launch)"
    return ", 0, launch.effort" if uses["efforts"] else ""


def constants(uses: Mapping[str, bool]) -> dict[str, str]:
    """Of a pass, what it may declare: the same number for all passes where none does."""
    fields = {
        "feed": ("launch.feed", "0"),
        "query": ("launch.query", "0"),
        "scale": ("call.scale_of(launch)", "call.scale"),
        "multiplicity": ("math.log2(launch.multiplicity)", "0.0"),
        "joined": ("launch.joined", "False"),
    }
    return {name: texts[0 if uses[name] else 1] for name, texts in fields.items()}


def _has_rows(query: Text) -> bool:
    """Does a query choose its rows by their position among the tokens?"""
    return "rows=" in set(declarations(query))


def _is_treated(treatments: OperandTable, inputs: Sequence[Entry]) -> bool:
    """Are there more than plain tokens?"""
    plain = [Call("_Query", ())], [Call("_Feed", ())]
    brought = any(item.role not in DECIDING for item in inputs)
    return brought or (treatments.queries, treatments.feeds) != plain


def _is_combined(schedule: Schedule) -> bool:
    return any(group.combined is not None for groups in schedule.groups for group in groups)
