"""Design help: the parameters of a template that connect every pair in the fewest layers.

Maps a length, a number of layers and a budget of pairs to programs, by exact counts and exact
receptive fields of everything that is tried. The same question has the same answer. Does not
predict the quality of a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from patternc.algebra.work_budget import allowance
from patternc.analysis.lint.performance_hints import performance_hints
from patternc.language import elaborate, parse
from patternc.language.syntax.diagnostics import Diagnostic
from patternc.relation.relation import relation
from patternc.schedule.tile_sizes import choose_tiles
from patternc.search.candidates import Axis, axis
from patternc.search.parameter_ranges import Front
from patternc.search.query import Outcome, SearchAnswer, SearchQuery, Suggestion
from patternc.search.search import search
from patternc.search.templates import Template, headed, templates
from patternc.search.trials import Trials, TrialsError

__all__ = [
    "Outcome",
    "SearchAnswer",
    "SearchQuery",
    "Suggestion",
    "Template",
    "suggest",
    "templates",
]


def suggest(asked: SearchQuery, chosen: Sequence[Template]) -> SearchAnswer:
    """The best programs of the chosen templates, each alone and all of them together.

    Raises `ValueError` for values that are none, and `PatternError` and `LengthError` for programs
    that mean nothing.
    """
    outcomes = tuple(_outcome(template, asked) for template in chosen)
    front = _best(one for each in outcomes for one in each.front)
    return SearchAnswer(asked, outcomes, front, _lessons(front[0], asked) if front else ())


def _lessons(best: Suggestion, asked: SearchQuery) -> tuple[Diagnostic, ...]:
    """What the best program could do better, as `check --teach` says it."""
    program = elaborate(parse(best.text, best.template))
    every = (
        relation(program.resolve(layer, head))
        for layer in range(program.layers or 1)
        for head in range(program.heads or 1)
    )
    tile = choose_tiles(dict.fromkeys(every), None, None).shape
    return performance_hints(program, asked.n, asked.layers, lambda: tile)


def _outcome(template: Template, asked: SearchQuery) -> Outcome:
    if not template.vary:
        raise ValueError(f"{template.name}: nothing to vary; add a parameter, for example w=16:512")
    text = headed(template.text, template.name, asked)
    trials = Trials(template.name, text, asked)
    axes = [axis(name, values, asked.n) for name, values in template.vary.items()]
    budget = None if asked.pairs is None else Fraction(asked.pairs)
    front, complete = _searched(trials, axes, Front(budget))
    nearest: tuple[Suggestion, ...] = ()
    if not front and complete and budget is not None:
        nearest, complete = _searched(trials, axes, Front(None, asked.layers))
    last = nearest[-1] if nearest else None
    return Outcome(template.name, template.about, front, last, trials.looked, complete)


def _searched(
    trials: Trials, axes: list[Axis], front: Front
) -> tuple[tuple[Suggestion, ...], bool]:
    """What is on the front, and whether all of it was searched."""
    complete = True
    try:
        with allowance():
            search(trials, axes, front)
    except TrialsError:
        complete = False
    return tuple(trials.suggestion(values) for _, values in front.kept()), complete


def _best(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Fewest layers first; each has fewer pairs than all before it."""
    kept: list[Suggestion] = []
    for one in sorted(suggestions, key=lambda one: (one.full_at, one.pairs)):
        if not kept or one.pairs < kept[-1].pairs:
            kept.append(one)
    return tuple(kept)
