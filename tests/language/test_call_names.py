"""Names of run-time inputs: none that a call has another meaning for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from patternc import Pattern
from patternc.language import PatternError
from patternc.language.check.call_names import CALL_KEYWORDS
from patternc.runtime.load import load_module

_FEATURES = "causal\nfeatures(map=elu)"
_ROWS = "full on stream(notes, 4) + listed(links)\nrows notes\nfull\n"


def _calls() -> Iterator[Callable[..., Any]]:
    """What takes run-time inputs by name: of `Pattern`, and of modules with and without rows."""
    for owner in (
        Pattern,
        *(load_module(Pattern(t).compile()) for t in ("full", _ROWS, _FEATURES)),
    ):
        for name, member in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_") and _takes_inputs(member):
                yield member


def _takes_inputs(call: Callable[..., Any]) -> bool:
    parameters = inspect.signature(call).parameters.values()
    return any(p.kind is p.VAR_KEYWORD and p.name in ("inputs", "options") for p in parameters)


def _keywords(call: Callable[..., Any]) -> set[str]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(call).parameters.values()
    return {parameter.name for parameter in parameters if parameter.kind in named}


def test_the_list_of_names_is_that_of_the_signatures() -> None:
    calls = list(_calls())
    assert {"attention", "reference", "mask", "report", "pairs"} <= {c.__name__ for c in calls}
    assert set().union(*map(_keywords, calls)) == CALL_KEYWORDS


@pytest.mark.parametrize("form", ["same({})", "columns({})", "listed({})", "full with bias({})"])
@pytest.mark.parametrize("name", ["v", "self", "residual", "lambda", "pool_kv", "pool3_kv"])
def test_a_name_that_no_call_can_give_is_refused(form: str, name: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(form.format(name))
    assert [found.code for found in caught.value.diagnostics] == ["P044"]


@pytest.mark.parametrize(
    "text",
    [
        "gate(full, causal, name=seed)",
        "full with t5(32, 128, name=seed)",
        "full with softspan(4, z=seed)",
        "rows([0], projection=seed)",
        "full with absolute(seed)",
        "random(2, pool=[0:4]) + global(seed)",
        "blocks(4) { same(seed) }",
        "let a = same(seed)\na",
        "full on stream(notes, 4)\nrows notes\nsame(seed)",
    ],
)
def test_it_is_refused_wherever_a_name_is_given(text: str) -> None:
    with pytest.raises(PatternError) as caught:
        Pattern(text)
    assert "P044" in {found.code for found in caught.value.diagnostics}


def test_a_stream_is_refused_by_the_name_that_its_slots_have_at_the_call() -> None:
    Pattern("full on stream(q, 4)")  # the call takes q_kv
    with pytest.raises(PatternError, match="`pool2_kv` cannot"):
        Pattern("full on stream(pool2, 4)")
