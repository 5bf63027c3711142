"""What numpy finds for rectangles, in float64."""

from __future__ import annotations

import numpy as np

from tests.native.rectangles import Array, Problem, lines, rectangles, scores_of


def solve(problem: Problem) -> None:
    """Sets what the arrays become."""
    with np.errstate(all="ignore"):
        (_differentiated if problem.backward else _attended)(problem)


def _attended(problem: Problem) -> None:
    out, lse = (problem.values[name].copy() for name in ("out", "lse"))
    met: dict[tuple[int, int], list[tuple[Array, Array]]] = {}
    for one in rectangles(problem):
        values = lines(problem, "v", one.unit, one.keys)
        for row, scores in zip(one.rows.tolist(), scores_of(problem, one), strict=True):
            met.setdefault((one.unit, row), []).append((scores, values))
    for place, found in met.items():
        scores, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if not len(scores):
            continue
        top = scores.max()
        out[place], lse[place] = 0, -np.inf
        if top != -np.inf:
            weights = np.exp(scores - top)
            lse[place] = top + np.log(weights.sum())
            out[place] = weights @ values / weights.sum()
    problem.wanted = {"out": out, "lse": lse}


def _differentiated(problem: Problem) -> None:
    problem.wanted = {name: problem.values[name].copy() for name in problem.changed()}
    for one in rectangles(problem):
        _, unit, rows, keys, _ = one
        weights = np.exp(scores_of(problem, one) - lines(problem, "lse", unit, rows))
        d_out, v = lines(problem, "d_out", unit, rows), lines(problem, "v", unit, keys)
        out, d_lse = lines(problem, "out", unit, rows), lines(problem, "d_lse", unit, rows)
        delta = (d_out * out).sum(1, keepdims=True) - d_lse
        d_scores = weights * (d_out @ v.T - delta) * one.piece.scale
        _add(problem, "d_q", unit, rows, d_scores @ lines(problem, "k", unit, keys))
        _add(problem, "d_k", unit, keys, d_scores.T @ lines(problem, "q", unit, rows))
        _add(problem, "d_v", unit, keys, weights.T @ d_out)


def _add(problem: Problem, name: str, unit: int, places: Array, values: Array) -> None:
    total = problem.wanted[name]
    np.add.at(total[unit if len(total) > 1 else 0], places, values)
