"""What numpy finds for rectangles, in float64."""

from __future__ import annotations

import numpy as np

from tests.native.rectangles import Array, Problem, lines, rectangles, scores_of


def solve(problem: Problem) -> None:
    """Sets what the arrays become."""
    with np.errstate(all="ignore"):
        (_differentiated if problem.backward else _attended)(problem)


def _attended(problem: Problem) -> None:
    mixed, sums = (problem.values[name].copy() for name in ("mixed", "sums"))
    fresh = problem.described["fresh"]
    for unit, rows, keys, seen in rectangles(problem):
        scores = scores_of(problem, unit, rows, keys, seen)
        before = np.full((len(rows), 1), -np.inf) if fresh else sums[unit][rows]
        scores = np.concatenate([before, scores], 1)
        top = scores.max(1, keepdims=True)
        weights = np.where(top == -np.inf, 0, np.exp(scores - np.where(top == -np.inf, 0, top)))
        total = weights.sum(1, keepdims=True)
        values = weights[:, 1:] @ lines(problem, "v", unit, keys)
        if not fresh:
            values += weights[:, :1] * np.where(before == -np.inf, 0, mixed[unit][rows])
        mixed[unit][rows] = np.where(total == 0, 0, values / np.where(total == 0, 1, total))
        sums[unit][rows] = np.where(total == 0, -np.inf, top + np.log(np.maximum(total, 1e-300)))
    problem.wanted = {"mixed": mixed, "sums": sums}


def _differentiated(problem: Problem) -> None:
    problem.wanted = {name: problem.values[name].copy() for name in problem.changed()}
    for unit, rows, keys, seen in rectangles(problem):
        scores = scores_of(problem, unit, rows, keys, seen)
        weights = np.exp(scores - lines(problem, "lse", unit, rows))
        d_out, v = lines(problem, "d_out", unit, rows), lines(problem, "v", unit, keys)
        delta = lines(problem, "delta", unit, rows)
        d_scores = weights * (d_out @ v.T - delta) * problem.described["scale"]
        _add(problem, "d_q", unit, rows, d_scores @ lines(problem, "k", unit, keys))
        _add(problem, "d_k", unit, keys, d_scores.T @ lines(problem, "q", unit, rows))
        _add(problem, "d_v", unit, keys, weights.T @ d_out)


def _add(problem: Problem, name: str, unit: int, places: Array, values: Array) -> None:
    total = problem.wanted[name]
    np.add.at(total[unit if len(total) > 1 else 0], places, values)
