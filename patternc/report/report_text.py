"""The report as text for a terminal, and as Markdown.

Converts facts to sections of rows, and sections to lines. Both say the same; equal layers stand
together, and heads with equal numbers. JSON is in `report_json`; does not draw pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from patternc.analysis.cost.last_reader import LastReader
from patternc.analysis.cost.layer_cost import PAGE, LayerCost
from patternc.analysis.cost.pair_counts import HeadCount
from patternc.analysis.cost.published_formulas import Comparison
from patternc.analysis.cost.roofline import Least, Roofline
from patternc.analysis.reach import LayerReach, Reach
from patternc.analysis.report_facts import LayerFacts, ReportFacts
from patternc.frozen import frozen
from patternc.report import report_reach
from patternc.report.report_reach import consecutive

Row = tuple[str, ...]


@frozen
class Section:
    """A table with a heading; without `columns` its rows are names and values."""

    title: str
    rows: tuple[Row, ...]
    columns: Row = ()


def text(facts: ReportFacts, title: str) -> str:
    """Lines for a terminal."""
    lines = [_headline(facts, title)]
    for section in sections(facts):
        lines += ["", section.title, *aligned(section)]
    return "\n".join(lines) + "\n"


def markdown(facts: ReportFacts, title: str) -> str:
    """The same as Markdown, a table a section."""
    lines = [f"# {_headline(facts, _escaped(title))}"]
    for section in sections(facts):
        columns = section.columns or ("", "")
        lines += ["", f"## {section.title}", "", _cells(columns), _cells(["---"] * len(columns))]
        lines += [_cells(row) for row in section.rows]
    return "\n".join(lines) + "\n"


def sections(facts: ReportFacts) -> Iterator[Section]:
    """What there is to say, in the order of the questions people ask."""
    groups = _groups(facts)
    yield Section("pairs", tuple(_pairs(groups)), ("layers", "heads", "pairs", "density", "order"))
    yield Section("closed forms", tuple(_forms(groups)))
    yield Section("reach", tuple(_reach(facts)), REACH)
    yield from _flow(facts)
    yield Section("cost of all layers", tuple(_cost(facts)))
    yield Section("roofline lower bound of all layers", tuple(map(_time, facts.rooflines)), TIMES)
    if facts.paper is not None:
        yield Section("published formula, head 0 of layer 0", tuple(_paper(facts.paper)))
    said = [(item.code, f"{item.title}: {item.label}") for item in facts.warnings]
    said += [("note", note) for note in facts.notes]
    if said:
        yield Section("warnings", tuple(said))


def _flow(facts: ReportFacts) -> Iterator[Section]:
    """How information gets there, and where it does not."""
    flow = facts.flow
    yield Section("layers that pairs need", tuple(report_reach.hops(flow)), report_reach.HOPS)
    slow = (*report_reach.slow(flow), *report_reach.growth(flow), *report_reach.contributions(flow))
    yield Section("flow", slow)
    if plain := tuple(field(at, layer) for at, layer in enumerate(report_reach.plain(flow), 1)):
        yield Section("reach without the residual path", (*plain, _full(flow.plain)), REACH)
    if left_out := tuple(report_reach.left_out(facts.layers)):
        yield Section("left out", left_out, report_reach.LEFT_OUT)
    if others := tuple(report_reach.others(facts.layers)):
        yield Section("other query sets", others, report_reach.OTHERS)


REACH = ("layer", "size minimum", "median", "maximum", "left", "right", "holes", "exact")
TIMES = ("device", "forward", "backward", "limit", "measured")
Group = tuple[str, LayerCost]


def _headline(facts: ReportFacts, title: str) -> str:
    count = len(facts.layers)
    return f"{title}: n = {facts.work.n:,}, {count} {'layer' if count == 1 else 'layers'}"


def _groups(facts: ReportFacts) -> list[Group]:
    """Layers with equal costs, by their numbers."""
    layers: dict[LayerCost, list[int]] = {}
    for number, layer in enumerate(facts.layers):
        layers.setdefault(layer.cost, []).append(number)
    return [(consecutive(numbers), cost) for cost, numbers in layers.items()]


def _heads(values: Sequence[object]) -> Iterator[tuple[str, int]]:
    """Heads with equal values: their numbers, and the first of them."""
    heads: dict[object, list[int]] = {}
    for number, value in enumerate(values):
        heads.setdefault(value, []).append(number)
    for numbers in heads.values():
        yield consecutive(numbers), numbers[0]


def _pairs(groups: list[Group]) -> Iterator[Row]:
    for layers, cost in groups:
        for heads, first in _heads([_counted(head) for head in cost.heads]):
            head = cost.heads[first]
            told = _number(head.pairs.least, head.pairs.most)
            if head.with_multiplicity.most != head.pairs.most:
                both = head.with_multiplicity
                told += f" ({_number(both.least, both.most)} with multiplicity)"
            yield layers, heads, told, _density(cost, first), head.with_multiplicity.order


def _density(cost: LayerCost, head: int) -> str:
    """That of one head; a bound where its pairs are."""
    pairs = cost.heads[head].pairs
    return f"{'' if pairs.exact else 'at most '}{cost.densities[head]:.4%}"


def _counted(head: HeadCount) -> object:
    """The numbers of a head, whatever its forms."""
    both = (head.pairs, head.with_multiplicity)
    return tuple((count.least, count.most, count.order) for count in both)


def _number(least: int, most: int) -> str:
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _forms(groups: list[Group]) -> Iterator[Row]:
    for layers, cost in groups:
        for heads, first in _heads(cost.heads):
            head = cost.heads[first]
            where = f"layers {layers}, heads {heads}"
            yield where, head.with_multiplicity.form
            if head.pairs.form != head.with_multiplicity.form:
                yield f"{where}, distinct", head.pairs.form


def _reach(facts: ReportFacts) -> Iterator[Row]:
    for number, layer in _telling(facts.layers, facts.reach.full_at):
        yield field(number, layer.reach)
    yield _full(facts.reach)


def field(number: int, at: LayerReach) -> Row:
    """A row of `REACH`: the fields after so many layers."""
    sizes = [f"{size:,}" for size in (at.size_min, at.size_median, at.size_max)]
    sides = [f"{side:,}" for side in (at.left_max, at.right_max, at.holes)]
    return str(number), *sizes, *sides, "yes" if at.exact else "bound"


def _full(found: Reach) -> Row:
    return "full at", full_at(found), *[""] * 6


def full_at(found: Reach) -> str:
    """After how many layers every permitted pair is connected."""
    if found.full_at is None:
        return "not within these layers" if found.full_exact else "not known"
    return f"{found.full_at}" if found.full_exact else f"{found.full_at} at most"


def _telling(layers: Sequence[LayerFacts], full_at: int | None) -> Iterator[tuple[int, LayerFacts]]:
    """The layers up to the one that connects everything."""
    yield from list(enumerate(layers, 1))[: full_at or len(layers)]


def _cost(facts: ReportFacts) -> Iterator[Row]:
    costs = [layer.cost for layer in facts.layers]
    useful = sum(cost.useful.forward for cost in costs)
    issued = [cost.issued.forward for cost in costs if cost.issued is not None]
    yield "useful FLOPs, forward", f"{scaled(useful)}FLOP"
    yield "useful FLOPs, backward", f"{scaled(sum(cost.useful.backward for cost in costs))}FLOP"
    if finding := sum(cost.finding for cost in costs):
        yield "finding pairs, forward", f"{scaled(finding)}FLOP"
    if len(issued) == len(costs) and useful:
        query, key = costs[0].tile
        share = useful / max(sum(issued), 1)
        tiles = f"in tiles of {query} x {key}, {share:.1%} of them useful"
        yield "executed FLOPs, forward", f"{scaled(sum(issued))}FLOP {tiles}"
    for name, pairs in _other_pairs(facts).items():
        products = 4 * pairs * facts.work.head_dim
        yield f"in addition, queries of {name}", f"{scaled(products)}FLOP forward, {pairs:,} pairs"
    yield (
        "memory traffic, forward",
        f"at least {scaled(sum(cost.moved.forward for cost in costs))}B",
    )
    yield "activation memory", f"{scaled(sum(cost.activations for cost in costs))}B"
    yield "KV cache after prefill", f"{scaled(sum(cost.prefill_cache for cost in costs))}B"
    decode = [cost.decode_cache for cost in costs if cost.decode_cache is not None]
    if len(decode) == len(costs):
        yield "KV cache (decode)", f"{scaled(sum(decode))}B of keys visible to later queries"
        yield from _pages(costs)


def _pages(costs: Sequence[LayerCost]) -> Iterator[Row]:
    """The pages of a paged cache, and when a key may be dropped where all heads agree."""
    pages = [cost.decode_pages for cost in costs if cost.decode_pages is not None]
    bound = "" if all(each.exact for each in pages) else "at most "
    yield "KV cache (decode), pages", f"{bound}{sum(each.count for each in pages):,} of {PAGE} keys"
    last = dict.fromkeys(head for cost in costs for head in cost.last_readers or ())
    if len(last) == 1:
        yield "last reader of key j", f"{next(iter(last)).formula}{_or_bound(*last)}"


def _or_bound(last: LastReader) -> str:
    return "" if last.exact else f" (a bound: {last.reason})"


def _other_pairs(facts: ReportFacts) -> dict[str, int]:
    """The pairs of other rows in all layers, by name, where they are known."""
    found: dict[str, list[int | None]] = {}
    for layer in facts.layers:
        for cost in layer.others:
            found.setdefault(cost.name, []).append(cost.total)
    return {
        name: sum(total for total in totals if total is not None)
        for name, totals in found.items()
        if None not in totals
    }


def _time(found: Roofline) -> Row:
    measured = found.measured
    told = (
        "" if measured is None else " / ".join(map(_seconds, (measured.forward, measured.backward)))
    )
    both = (_seconds(found.forward.seconds), _seconds(found.backward.seconds))
    return found.device.name, *both, _limit(found.forward), told


def _limit(least: Least) -> str:
    return least.limit


def _paper(found: Comparison) -> Iterator[Row]:
    yield "says", found.paper.says
    yield found.paper.formula, f"{found.value:,}"
    yield "counted", f"{found.counted:,} {found.paper.counts.replace('_', ' ')}"
    yield (
        "verdict",
        found.verdict + ("" if found.verdict == "exact" else f", off by {found.off:+.2%}"),
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{scaled(value)}s"


def scaled(value: float) -> str:
    """Three digits and a decimal prefix."""
    if value == 0:
        return "0 "
    for factor, prefix in (
        (1e18, "E"),
        (1e15, "P"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "u"),
    ):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value * 1e9:.3g} n"


def aligned(section: Section) -> Iterator[str]:
    """The rows of a table in columns."""
    rows = [section.columns, *section.rows] if section.columns else list(section.rows)
    widths = [_width(rows, at) for at in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(cells)).rstrip()


def _width(rows: Sequence[Row], at: int) -> int:
    """That of the cells which others follow: the last of a row may stand out of its column."""
    return max((len(row[at]) for row in rows if any(row[at + 1 :])), default=0)


def _cells(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _escaped(name: str) -> str:
    """A name as plain words of Markdown: no tag, link, emphasis, table cell or formula."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|$&~])", r"\\\1", name)
