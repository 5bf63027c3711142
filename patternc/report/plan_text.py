"""Plans as text for a terminal.

Equal layers are one row. Does not find anything.
"""

from __future__ import annotations

from patternc.distributed.plan import LayerPlan, Plan
from patternc.report.report_reach import consecutive
from patternc.report.report_text import Section, aligned, scaled

WAYS = ("layers", "way", "received by a rank", "at most", "messages", "balance")
COLUMNS = (*WAYS, "compute", "send")
Row = tuple[str, ...]


def text(plan: Plan) -> str:
    """Lines for a terminal."""
    groups = _groups(plan)
    lines = [_headline(plan), "", "each layer, forward"]
    rows = tuple((layers, *_row(plan, layer)) for layers, layer in groups)
    lines += aligned(Section("layers", rows, COLUMNS))
    reasons = tuple((layers, *_reason(layer)) for layers, layer in groups)
    lines += ["", "reasons", *aligned(Section("reasons", reasons))]
    total, gathered = scaled(plan.total_bytes), scaled(plan.bytes_of_all_keys)
    lines += ["", f"all layers and ranks: {total}B forward, as many gradients backward"]
    lines += [f"all keys and values on all ranks: {gathered}B"]
    return "\n".join(lines) + "\n"


def _headline(plan: Plan) -> str:
    count, work = len(plan.layers), plan.work
    placed = plan.placement.kind.replace("_", "-")
    device = f" on {plan.device.title}" if plan.device else ""
    layers = f"{count} {'layer' if count == 1 else 'layers'}"
    return f"{plan.title}: n = {work.n:,}, {layers}, {plan.ranks:,} ranks{device}, {placed} rows"


def _groups(plan: Plan) -> list[tuple[str, LayerPlan]]:
    """Layers with equal rows, by their numbers."""
    found: dict[tuple[Row, Row], list[int]] = {}
    for number, layer in enumerate(plan.layers):
        found.setdefault((_row(plan, layer), _reason(layer)), []).append(number)
    return [(consecutive(numbers), plan.layers[numbers[0]]) for numbers in found.values()]


def _row(plan: Plan, layer: LayerPlan) -> Row:
    mean, most = (f"{scaled(value)}B" for value in _received(layer))
    balance = "-" if layer.balance is None else f"{layer.balance:.3f}"
    times = plan.seconds(layer)
    told = ("-", "-") if times is None else tuple(map(_seconds, times))
    messages = f"{int(layer.messages.max(initial=0)):,}"
    return layer.way, mean, most, messages, balance, *told


def _received(layer: LayerPlan) -> tuple[float, float]:
    return float(layer.bytes_received.mean()), float(layer.bytes_received.max(initial=0))


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{scaled(value)}s"


def _reason(layer: LayerPlan) -> Row:
    return (f"{layer.reason}; at most, for {layer.bound}" if layer.bound else layer.reason,)
