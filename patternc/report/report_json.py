"""The report as a JSON document, and the schema that describes it.

Converts facts to plain dictionaries. The format is "patternc.report/1"; its schema is
`report.schema.json`, beside this file. Does not find anything.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from patternc.analysis.cost.last_reader import LastReader
from patternc.analysis.cost.layer_cost import Both
from patternc.analysis.cost.published_formulas import Comparison
from patternc.analysis.cost.roofline import Roofline
from patternc.analysis.cost.stream_rows import RowsCost
from patternc.analysis.explain.critical_path import Slowest
from patternc.analysis.reach.closed_form import ClosedFormReach
from patternc.analysis.reach_summary import ReachSummary
from patternc.analysis.report_facts import LayerFacts, ReportFacts
from patternc.language.syntax.source import SourceText
from patternc.report.check import finding

FORMAT = "patternc.report/1"
Json = dict[str, object]


def schema() -> Json:
    """The JSON Schema of the document."""
    text = Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8")
    content: Json = json.loads(text)
    return content


def document(facts: ReportFacts, source: SourceText) -> Json:
    """The whole report."""
    work = facts.work
    return {
        "format": FORMAT,
        "name": source.name,
        "n": work.n,
        "head_dim": work.head_dim,
        "dtype": work.dtype,
        "kv_heads": work.kv_heads,
        "layers": [_layer(layer) for layer in facts.layers],
        "full_at": facts.reach.full_at,
        "full_exact": facts.reach.full_exact,
        **_flow(facts.flow),
        "total": _total(facts),
        "paper": _paper(facts.paper),
        "roofline": [_roofline(item) for item in facts.rooflines],
        "warnings": [finding(item, source) for item in facts.warnings],
        "notes": list(facts.notes),
    }


def _layer(layer: LayerFacts) -> Json:
    cost = layer.cost
    heads = [head.pairs for head in cost.heads]
    with_multiplicity = [head.with_multiplicity for head in cost.heads]
    return {
        "pairs": [count.most for count in heads],
        "pairs_with_multiplicity": [count.most for count in with_multiplicity],
        "pairs_exact": [head.pairs.exact and head.with_multiplicity.exact for head in cost.heads],
        "pairs_least": [count.least for count in heads],
        "density": cost.density,
        "head_density": list(cost.densities),
        "closed_form": [count.form for count in with_multiplicity],
        "closed_form_distinct": [count.form for count in heads],
        "order": [count.order for count in with_multiplicity],
        "keys": cost.keys,
        "products": {"useful": asdict(cost.useful), "issued": _both(cost.issued)},
        **({"finding": cost.finding} if cost.finding else {}),
        "bytes": asdict(cost.moved),
        "memory": {
            "activations": cost.activations,
            "prefill_cache": cost.prefill_cache,
            "decode_cache": cost.decode_cache,
            "decode_keys": None if cost.decode_keys is None else list(cost.decode_keys),
            "decode_pages": None if cost.decode_pages is None else asdict(cost.decode_pages),
            "last_reader": None if cost.last_readers is None else _last_readers(cost.last_readers),
        },
        "tiles": {"query": cost.tile[0], "key": cost.tile[1], "visited": list(cost.tiles)},
        "reach": asdict(layer.reach),
        "unmet": {
            "empty_rows": list(layer.unmet.empty_rows),
            "unseen_keys": layer.unmet.unseen_keys,
        },
        "other_rows": [_rows(cost) for cost in layer.others],
    }


def _last_readers(heads: tuple[LastReader, ...]) -> list[Json]:
    return [{"formula": head.formula, "exact": head.exact} for head in heads]


def _rows(cost: RowsCost) -> Json:
    return {
        "name": cost.name,
        "rows": cost.rows,
        "keys": cost.keys,
        "pairs": list(cost.pairs),
        "density": cost.density,
    }


def _flow(flow: ReachSummary) -> Json:
    """What the stack connects, late and not at all."""
    return {
        "causal": flow.reach.causal,
        "hops": list(flow.reach.hops),
        "unreached": {
            "pairs": flow.reach.unreached,
            "example": None if flow.unheard is None else list(flow.unheard),
            "settled": flow.settled,
        },
        "slowest": None if flow.slowest is None else _slowest(flow.slowest),
        "slowest_absent": flow.reason or None,
        "contributions": None if flow.contributions is None else list(flow.contributions),
        "growth": None if flow.growth is None else _growth(flow.growth),
        "without_residual": {
            "full_at": flow.plain.full_at,
            "full_exact": flow.plain.full_exact,
            "reach": [asdict(layer) for layer in flow.plain.layers],
        },
    }


def _slowest(found: Slowest) -> Json:
    return {
        "query": found.query,
        "key": found.key,
        "layers": found.layers,
        "path": [{**asdict(step), "terms": list(map(asdict, step.terms))} for step in found.path],
    }


def _growth(found: ClosedFormReach) -> Json:
    return {"formula": found.formula, "exact": found.exact, "since": found.since}


def _both(both: Both | None) -> Json | None:
    return None if both is None else asdict(both)


def _total(facts: ReportFacts) -> Json:
    costs = [layer.cost for layer in facts.layers]
    return {
        "pairs": sum(head.pairs.most for cost in costs for head in cost.heads),
        "pairs_with_multiplicity": sum(
            head.with_multiplicity.most for cost in costs for head in cost.heads
        ),
        "products": {
            "forward": sum(cost.useful.forward for cost in costs),
            "backward": sum(cost.useful.backward for cost in costs),
        },
        "activations": sum(cost.activations for cost in costs),
        "prefill_cache": sum(cost.prefill_cache for cost in costs),
        "decode_cache": _sum_or_none([cost.decode_cache for cost in costs]),
    }


def _sum_or_none(parts: list[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _paper(found: Comparison | None) -> Json | None:
    if found is None:
        return None
    return {
        "formula": found.paper.formula,
        "says": found.paper.says,
        "counts": found.paper.counts,
        "value": found.value,
        "counted": found.counted,
        "verdict": found.verdict,
        "off": round(found.off, 6),
    }


def _roofline(found: Roofline) -> Json:
    return {
        "device": found.device.name,
        "title": found.device.title,
        "forward": asdict(found.forward),
        "backward": asdict(found.backward),
        "measured": None if found.measured is None else asdict(found.measured),
    }
