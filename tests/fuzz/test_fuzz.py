"""A few dozen cases of `make fuzz`, and what it needs to be of use."""

from __future__ import annotations

import pytest

from patternc import Pattern
from tests.fuzz import agreeing, mutate, reading
from tests.fuzz.failures import DisagreementError, failures, limited
from tests.fuzz.programs import program
from tests.fuzz.shrink import shrunk

_WORDS = (
    *("full", "none", "diagonal", "causal", "local(", "strided(", "segment(", "columns(", "rows("),
    *("global(", "permuted(", "random(", "listed(", "neighborhood(", "windows(", "same(", "where("),
    *(
        "contextual(",
        "blocks(",
        "within(",
        "offsets(",
        "powers(",
        "[i] ",
        "parts=",
        "~",
        " & ",
        " - ",
        " + ",
        "mix(",
        "gate(",
        "sum(",
    ),
    *("mean(", "memory(", "compressed(", "pool(", "project(", "persistent(", "stream(", "tree("),
    *("encoder", "alibi", "t5(", "relative(", "xl_relative", "distance_aware", "rotary("),
    *("absolute(", "softcap(", "softspan(", "sink", "bias(", "scale(", "projection=", "avoid="),
    *("rows g", "let ", "param ", "heads ", "layers ", "allow empty", "edge=shift", "dilation="),
)


def test_random_programs_have_every_form_of_the_language():
    everything = "\n".join(map(program, range(400)))
    assert [word for word in _WORDS if word not in everything] == []


def test_a_seed_gives_the_same_text():
    assert [mutate.text(seed) for seed in range(20)] == [mutate.text(seed) for seed in range(20)]


def test_most_random_texts_are_accepted_and_none_breaks_the_reader(monkeypatch):
    # Time on a busy machine is no matter here.
    monkeypatch.setattr(reading, "SECONDS", 60.0)
    answers = [reading.read(mutate.text(seed)) for seed in range(40)]
    assert [found for _, found in answers if found] == []
    assert sum(accepted for accepted, _ in answers) >= 0.6 * len(answers)


@pytest.mark.parametrize("seed", [1, 5, 7, 9])
def test_every_room_says_the_same_of_a_random_program(seed):
    assert agreeing.agree(program(seed), seed) == {}


@pytest.mark.parametrize(
    "text",
    [
        "full with xl_relative with rotary(10)",
        "full with xl_relative with relative(5)",
        "layers 2\nlayer == 0 -> full on memory(3) with alibi\n"
        "else -> full on memory(3) with alibi with rotary(10)",
    ],
)
def test_modifiers_that_meet_follow_the_order_of_the_manual(text):
    assert agreeing.agree(text, 3) == {}


def test_a_wrong_mask_is_noticed(monkeypatch):
    monkeypatch.setattr(Pattern, "pairs", lambda self, n, **options: [-1])
    assert "pairs: `pairs` is not the sum of the mask" in agreeing.agree("local(1)", 0)


def test_a_failure_is_made_small():
    text = (
        "heads 2\nlet near = local(3)\n(near + global([0, 4:8])) & causal + mix(full, strided(7))\n"
    )
    small = shrunk(text, lambda part: "strided" in part and "full" in part)
    assert len(small) <= len("full,strided")


def test_what_takes_too_long_is_a_failure():
    def forever() -> None:
        while True:
            pass

    assert list(failures({"loop": forever}, 0.05)) == ["loop: slow"]


def test_a_disagreement_is_named_by_its_rooms():
    def differs() -> None:
        raise DisagreementError("two rooms differ: by 3")

    assert failures({"mask": differs}, 1) == {"mask: two rooms differ": "two rooms differ: by 3"}


def test_time_within_the_limit_is_no_failure():
    with limited(60.0):
        assert sum(range(1000)) == 499_500
