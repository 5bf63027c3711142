"""Suggestions: what brute force finds over all values, and what the command says of it."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from click.testing import CliRunner, Result

from patternc import Pattern
from patternc.cli.main import commands
from patternc.search import SearchQuery, Template, suggest, templates
from patternc.search.candidates import axis, thinned


def brute(text: str, n: int, layers: int) -> tuple[int, float]:
    """Layers until all permitted pairs are connected (0: never), and pairs of a head and layer."""
    pattern = Pattern.parse(text)
    count = pattern.layers or 1
    masks = [pattern.mask(n, layer=layer).any(axis=0) for layer in range(count)]
    pairs = [np.mean(pattern.pairs(n, layer)) for layer in range(count)]
    causal = not any(np.triu(mask, 1).any() for mask in masks)
    permitted = np.tril(np.ones((n, n), bool)) if causal else np.ones((n, n), bool)
    field = np.eye(n, dtype=bool)
    full_at = 0
    for layer in range(layers):
        mask = masks[layer % count].astype(np.int64)
        field = field | (mask @ field.astype(np.int64) > 0)
        if (field | ~permitted).all():
            full_at = layer + 1
            break
    return full_at, float(np.mean([pairs[layer % count] for layer in range(layers)]))


def is_connected(text: str, n: int, layers: int, pair: tuple[int, int] | None) -> bool:
    assert pair is not None
    pattern = Pattern.parse(text)
    field = np.eye(n, dtype=bool)
    for layer in range(layers):
        mask = pattern.mask(n, layer=layer % (pattern.layers or 1)).any(axis=0)
        field = field | (mask.astype(int) @ field.astype(int) > 0)
    return bool(field[pair])


def fronts(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The points that none of fewer layers and pairs betters."""
    kept: list[tuple[int, float]] = []
    for layers, pairs in sorted(point for point in points if point[0]):
        if not kept or pairs < kept[-1][1]:
            kept.append((layers, pairs))
    return kept


CASES = [
    ("local(w)", {"w": "1:48"}, 48, 6, False),
    ("causal\nlocal(left=w)", {"w": "1:40"}, 40, 5, True),
    ("local(w) + global([0:g])", {"w": "1:30", "g": "1,2,5"}, 37, 4, False),
    ("local(w) + global([0:g])", {"w": "1:30", "g": "1:9"}, 37, 4, False),
    (
        "local(a) + where(i // 8 - j // 8 <= b and j // 8 - i // 8 <= b)",
        {"a": "1:16", "b": "0:7"},
        52,
        6,
        False,
    ),
    (
        "causal\nlocal(left=a) + segment(4, back=b) + columns([0:c])",
        {"a": "1:9", "b": "0:5", "c": "0:3:1"},
        40,
        5,
        True,
    ),
    (
        "local(w, dilation=d ** (layer % p))",
        {"w": "1:12", "d": "2,3", "p": "2,3"},
        41,
        6,
        False,
    ),
    (
        "layer % 2 == 0 -> local(s - 1)\nelse -> strided(s)",
        {"s": "2:20:1"},
        40,
        4,
        True,
    ),
    ("blocks(4) { local(w) + random(r) }", {"w": "0:3:1", "r": "1,2"}, 50, 5, False),
    (
        "heads 2\nmix(segment(w), segment(w * a, dilation=a, offset=head % a))",
        {"w": "4:64:*2", "a": "2,3"},
        33,
        5,
        False,
    ),
]


@pytest.mark.parametrize(("text", "vary", "n", "layers", "causal"), CASES)
def test_the_front_is_that_of_all_values(text, vary, n, layers, causal):
    asked = SearchQuery(n, layers, causal=causal, trials=100_000)
    (outcome,) = suggest(asked, [Template("t", "", text + "\n", {}).varied(vary)]).outcomes
    spaces = [[(name, value) for value in axis(name, of, n).values] for name, of in vary.items()]
    header = "causal\n" if causal and "causal" not in text else ""
    header += f"layers {layers}\n" if "layer" in text or "random" in text else ""
    points = []
    for chosen in product(*spaces):
        params = "".join(f"param {name} = {value}\n" for name, value in chosen)
        points.append(brute(header + params + text, n, layers))
    found = [(one.full_at, one.pairs) for one in outcome.front]
    assert found == [(layers, -(-pairs // 1)) for layers, pairs in fronts(points)]
    assert outcome.complete
    for one in outcome.front:
        assert brute(one.text, n, layers)[0] == one.full_at
        assert is_connected(one.text, n, one.full_at, one.slowest)
        assert not is_connected(one.text, n, one.full_at - 1, one.slowest)


@pytest.mark.parametrize("causal", [False, True])
def test_every_template_means_something_and_its_answers_hold(causal):
    assert_answers_hold(causal, list(templates().values())[causal::2])


@pytest.mark.sweep
@pytest.mark.parametrize("causal", [False, True])
def test_causal_or_not_every_template_means_something_and_its_answers_hold(causal):
    assert_answers_hold(causal, templates().values())


def assert_answers_hold(causal, asked):
    n, layers = 48, 6
    for template in asked:
        outcome = suggest(SearchQuery(n, layers, None, 2, causal), [template]).outcomes[0]
        for one in outcome.front:
            assert brute(one.text, n, layers)[0] == one.full_at


def test_the_budget_is_kept_and_else_the_least_one_is_named():
    asked = SearchQuery(256, 4, pairs=20_000)
    answer = suggest(asked, [templates()["window"]])
    assert answer.best is None
    assert answer.nearest is not None
    assert answer.nearest.values == {"w": 64}
    within = suggest(SearchQuery(256, 4, pairs=answer.nearest.pairs), [templates()["window"]])
    assert within.best == answer.nearest
    assert (
        suggest(SearchQuery(256, 4, pairs=answer.nearest.pairs - 1), [templates()["window"]]).best
        is None
    )


def test_trials_are_bounded_and_an_unfinished_search_says_so():
    outcome = suggest(SearchQuery(64, 6, trials=3), [templates()["window"]]).outcomes[0]
    assert outcome.trials == 3
    assert not outcome.complete


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("causal\nlocal(1) + strided(s)", "s = 39 contains fewer pairs than s = 2"),
        ("causal\nmix(local(40 - s), columns([0:s]), columns([0:s]))", "connects later than"),
    ],
)
def test_a_range_that_does_not_grow_is_told(text, said):
    own = Template("own", "", text + "\n", {}).varied({"s": "2:40"})
    with pytest.raises(ValueError, match=f"{said}.* list its values: s=2:40:"):
        suggest(SearchQuery(64, 40), [own])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2:6", [2, 3, 4, 5]),
        ("4,1,2,2", [1, 2, 4]),
        ("3:30:*3", [3, 9, 27]),
        ("2:n:20", [2, 22, 42, 62]),
        ("8:n // 2:*2, 12", [8, 12, 16]),
    ],
)
def test_values_are_read(text, values):
    assert list(axis("w", text, 64).values) == values


@pytest.mark.parametrize("text", ["", "w", "1:2:3:4", "0:9:*2", "2:9:*1", "1:9:0", "-1:4", "9:9"])
def test_values_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="value"):
        axis("w", text, 64)


def test_a_thinned_range_keeps_its_ends():
    assert list(thinned(axis("w", "5:21", 64)).values) == [5, 6, 8, 12, 16, 20]


# The command


def suggested(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(commands, ["suggest", *arguments], input=text)


LONGFORMER = """\
# longformer with g = 1, w = 16
# 8,654 pairs per head and layer, 13.205% of all; every pair is connected after 2 layers
# slowest pair (example): query 1, key 255
# query: n = 256, within 4 layers, at most 9,000 pairs
#
# layers  pairs  density    template
#      2  8,654  13.205%    longformer: g = 1, w = 16
# P209, window is poorly aligned to tiles (at n = 256): in tiles of 64 x 64, 85% of the products
#   are masked: kernels compute and discard them; `local(64)` costs the same and contains 29,246
#   pairs, not 8,654
param w = 16
param g = 1
local(w) + global([0:g])
"""


def test_the_result_is_a_program_with_its_numbers():
    result = suggested("-n", "256", "--layers", "4", "--pairs", "9e3", "--template", "longformer")
    assert result.stdout == LONGFORMER
    assert Pattern.parse(result.stdout).pairs(256) == [8654]


def test_lessons_are_those_of_check_on_the_suggested_program():
    answer = suggest(SearchQuery(256, 4, pairs=9000), [templates()["longformer"]])
    assert answer.best is not None
    taught = Pattern.parse(answer.best.text).check(256, teach=True, layers=4)
    assert [each.code for each in answer.lessons] == ["P209"]
    assert set(answer.lessons) <= set(taught)


def test_streams_hear_what_their_own_rows_say():
    text = "local(w) + full on stream(g, 1)\nrows g\ncolumns([0])\n"
    (outcome,) = suggest(
        SearchQuery(40, 9), [Template("own", "", text, {}).varied({"w": "5:40"})]
    ).outcomes
    assert all(one.full_at == -(-39 // one.values["w"]) for one in outcome.front)


def test_what_does_not_fit_names_the_least_budget():
    result = suggested("-n", "256", "--layers", "4", "--pairs", "8e3", "--template", "longformer")
    assert result.exit_code == 1
    assert "the minimum budget found is 8,654 pairs: longformer with g = 1, w = 16" in result.stderr


def test_the_users_own_program_keeps_its_comments_and_headers(tmp_path):
    path = tmp_path / "own.pat"
    path.write_text("# mine\ncausal\nparam w = 4 # here\nlocal(w)\n", encoding="utf-8")
    asked = ("-n", "64", "--layers", "7", "--pairs", "600", "--vary", "w=2:20")
    result = suggested(str(path), *asked)
    assert result.stdout.endswith("# mine\ncausal\nparam w = 9 # here\nlocal(w)\n")
    assert result.exit_code == 0


def test_the_document_holds_the_front_and_every_template():
    result = suggested("-n", "128", "--layers", "2", "--heads", "2", "--output-format", "json")
    found = json.loads(result.stdout)
    assert found["format"] == "patternc.suggest/1"
    assert [one["template"] for one in found["templates"]] == list(templates())
    assert found["best"] == found["front"][0]
    assert found["best"]["full_at"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--vary", "w=1:9"], "add --template"),
        (["--template", "window", "--vary", "x=1:9"], "window has no parameter `x`; it has w"),
        (["--template", "window", "--vary", "w"], "expected NAME=VALUES"),
        (["--template", "local(4)"], "nothing to vary"),
        (["--template", "local(w)", "--vary", "w=a:b"], "lists no values"),
        (["--pairs", "1.5"], "expected an integer"),
        (["--pairs", "0"], "expected an integer"),
    ],
)
def test_what_cannot_be_searched_is_a_usage_error(arguments, said):
    result = suggested("-n", "64", "--layers", "3", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
