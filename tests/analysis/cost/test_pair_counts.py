"""Exact counts and their closed forms against masks, for every example and for random patterns."""

import re
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from examples import table
from patternc import Pattern
from patternc.analysis.cost.pair_counts import head_count
from patternc.ir.terms import HeadPattern, Random
from patternc.language.check.runtime_inputs import DECIDING, RunTimeInput
from patternc.relation.relation import relation
from patternc.relation.tables import HeadTables
from patternc.semantics.errors import LengthError
from patternc.semantics.lengths import fitting
from patternc.semantics.mask import multiplicity
from tests.analysis.cost.closed_forms import holds_at, is_bound, value
from tests.examples import smaller
from tests.terms import patterns

SMALL = (*range(1, 65), 83, 84, 85, *range(127, 131), *range(255, 259), 511, 512)
EXAMPLES = {example.path.stem: example for example in table.examples()}


def counted(pattern: HeadPattern, n: int, inputs=None, slots=None):
    tables = HeadTables(n, inputs or {}, {"encoder": n, **(slots or {})})
    return head_count(relation(pattern), tables, slots or {}, fitting(pattern) is not None)


def unkeyed(node):
    """The pattern with all draws of one key: those of other heads are as many."""
    if isinstance(node, Random):
        node = replace(node, layer=0, head=0)
    if isinstance(node, tuple):
        return tuple(map(unkeyed, node))
    if not is_dataclass(node):
        return node
    return replace(node, **{item.name: unkeyed(getattr(node, item.name)) for item in fields(node)})


def distinct(pattern: Pattern) -> list[HeadPattern]:
    """Every pattern of an example once."""
    places = [
        (layer, head) for layer in range(pattern.layers or 1) for head in range(pattern.heads or 1)
    ]
    return list(dict.fromkeys(unkeyed(pattern._frontend.resolve(*place)) for place in places))


def closed(name: str) -> bool:
    """Whether pairs follow from the text alone, at any length."""
    pattern = EXAMPLES[name].pattern
    decided = any(item.role in DECIDING for item in pattern.inputs)
    return not decided and pattern.fitting() is None


def verify(pattern: HeadPattern, lengths) -> None:
    """Counts are those of the mask, and so are the forms wherever they say that they hold."""
    forms = counted(pattern, 512)
    for n in lengths:
        found = counted(pattern, n)
        mask = multiplicity(pattern, n, None, {}, {"encoder": n})
        expected = int((mask > 0).sum()), int(mask.sum())
        assert (found.pairs.most, found.with_multiplicity.most) == expected, n
        assert found.pairs.exact
        assert found.with_multiplicity.exact
        for form, number in zip((forms.pairs, forms.with_multiplicity), expected, strict=True):
            if not is_bound(form.form) and holds_at(form.form, n):
                assert value(form.form, n) == number, (n, form.form)


@pytest.mark.parametrize(
    "text", ["nearest(8) & causal & local(20)", "nearest(3) - local(2) + local(2)"]
)
def test_the_nearest_keys_are_as_many_as_there_are_to_find(text):
    pattern = Pattern.parse(text)._frontend.resolve(0, 0)
    form = counted(pattern, 4096).pairs
    for n in (1, 7, 8, 30, 512):
        i, j = np.arange(n)[:, None], np.arange(n)
        near = (abs(i - j) <= 20) & (j <= i) if "causal" in text else abs(i - j) > 2
        more = 0 if "causal" in text else n * n - near.sum()
        expected = np.minimum(near.sum(1), 8 if "causal" in text else 3).sum() + more
        found = counted(pattern, n).pairs
        assert (found.least, found.most) == (expected, expected)
        if holds_at(form.form, n):
            assert value(form.form, n) == expected


def test_all_examples_but_those_of_many_conditions_have_closed_forms():
    """Trees have as many levels as n asks for, the others many conditions."""
    open_forms = [
        name
        for name in filter(closed, EXAMPLES)
        for pattern in distinct(smaller(name))
        if is_bound(counted(pattern, 512).pairs.form)
    ]
    assert set(open_forms) == {
        "bp_transformer",
        "longlive",
        "power_attention",
        "self_forcing",
    }


@pytest.mark.parametrize("name", list(filter(closed, EXAMPLES)))
def test_counts_and_closed_forms_are_those_of_the_masks(name):
    for pattern in distinct(smaller(name)):
        verify(pattern, SMALL)


def searches(name: str) -> bool:
    """Does it find its pairs in the call? tests/emit/test_found.py counts them."""
    return any(item.found for item in EXAMPLES[name].pattern.inputs)


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if not closed(name) and not searches(name)]
)
def test_counts_are_those_of_the_masks_where_the_call_or_a_grid_decides(name):
    pattern = smaller(name)
    span = pattern.fitting()
    n = EXAMPLES[name].length if span is None else span[1]
    inputs = {item.name: given_for(item, n) for item in pattern.inputs if item.role in DECIDING}
    without = []
    for resolved in distinct(pattern):
        mask = multiplicity(resolved, n, None, inputs, {"encoder": n})
        found = counted(resolved, n, inputs)
        assert found.pairs.most == found.pairs.least == (mask > 0).sum()
        without.append(counted(resolved, n).pairs)
        assert without[-1].least <= found.pairs.most <= without[-1].most
    open_to_the_call = [unknown for unknown in without if not unknown.exact]
    # The labels of `etc` decide the rows of its global tokens only.
    assert bool(open_to_the_call) == (bool(inputs) and name != "etc")
    assert all(is_bound(unknown.form) and unknown.reason for unknown in open_to_the_call)


def test_given_lists_are_counted_not_those_that_a_search_would_find():
    n = 3000
    pattern = Pattern.parse("causal\nnearest(4)")
    lists = np.arange(n)[:, None] // 2
    assert pattern.pairs(n, nearest=lists) == [n]
    (resolved,) = distinct(pattern)
    given = counted(resolved, n, {"nearest": lists}).pairs
    assert (given.least, given.most, is_bound(given.form)) == (n, n, True)
    assert counted(resolved, n).pairs.least == 4 * n - 6


def given_for(item: RunTimeInput, n: int) -> np.ndarray:
    match item.role:
        case "labels" | "integers":
            return np.arange(n) // 700
        case "set" | "offsets":
            return np.array([0, 5, 900])
        case _:
            size = 64 if "blocks of keys" in item.shape else 1
            return np.stack([np.arange(n) // 2, np.arange(n) // 3], axis=1) // size


@given(patterns, st.integers(1, 90))
@settings(max_examples=25)
def test_counts_of_random_patterns_are_those_of_the_masks(pattern, n):
    try:
        mask = multiplicity(pattern, n)
    except LengthError:
        assume(False)
    found = counted(pattern, n)
    assert found.pairs.least == found.pairs.most == (mask > 0).sum()
    assert found.with_multiplicity.least == found.with_multiplicity.most == mask.sum()


@given(patterns, st.integers(0, 60))
@settings(max_examples=25)
def test_closed_forms_of_random_patterns_hold_where_they_say(pattern, n):
    found = counted(pattern, 20)
    for form, how in ((found.pairs.form, np.sign), (found.with_multiplicity.form, np.asarray)):
        if is_bound(form):
            continue
        start = int(form.split(" for n >= ")[1].split(",")[0])
        for length in (start, start + n, start + 3 * n + 60):
            if length <= 400 and holds_at(form, length):
                assert value(form, length) == how(multiplicity(pattern, length)).sum()


# The text of forms.


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("local(256)", "513*n - 65792 for n >= 256"),
        ("causal\nlocal(left=31)", "32*n - 496 for n >= 31"),
        ("local(256) + global([0])", "515*n - 66306 for n >= 257"),
        ("causal", "(n**2 + n) // 2 for n >= 0"),
        ("segment(128)", "(n % 128)**2 + 16384*(n // 128) for n >= 0"),
        ("local(2) + random(3)", "8*n - 6 for n >= 8"),
        ("none", "0 for n >= 0"),
        ("full on persistent(7)", "7*n for n >= 0"),
        (
            "causal\nsegment(4096, dilation=2)",
            "(((n % 4096 + 1) // 2)**2 + ((n % 4096 + 1) // 2) + 4196352*(n // 4096)) // 2"
            " for n >= 0",
        ),
    ],
)
def test_a_form_reads_as_people_write_it(text, form):
    pattern = Pattern.parse(text)._frontend.resolve(0, 0)
    assert counted(pattern, 4096).with_multiplicity.form == form


def test_sympy_reads_the_forms():
    import sympy

    form = counted(Pattern.from_zoo("bigbird")._frontend.resolve(0, 0), 4096).pairs.form
    read = sympy.sympify(form.split(" for n ")[0])
    assert read.subs("n", 4096) == 2_547_712


def test_draws_that_meet_other_pairs_are_counted_and_no_form_is_claimed():
    pattern = Pattern.parse("causal\nblocks(4) { random(2) }")
    found = counted(pattern._frontend.resolve(0, 0), 100).pairs
    assert found.most == pattern.mask(100).sum()
    assert is_bound(found.form)


def test_a_form_for_whole_blocks_says_so():
    found = counted(Pattern.parse("blocks(8) { local(1) + random(2) }")._frontend.resolve(0, 0), 64)
    assert ", n % 8 == 0" in found.pairs.form


# Numbers others published or derived by hand; the pairs of one head, or with multiplicity.

GEOMETRIC = "mix(" + ", ".join(f"segment({128 << k}, dilation={1 << k})" for k in range(5)) + ")"


@pytest.mark.parametrize(
    ("text", "n", "pairs", "with_multiplicity"),
    [
        ("local(256)", 4096, 2_035_456, None),
        ("local(127)", 4096, 1_028_224, None),
        ("local(127)", 16384, 4_161_664, None),
        ("local(256) + global([0])", 4096, 2_043_134, None),
        ("local(512) + global([0])", 16384, 16_562_686, None),
        ("causal\nlocal(left=127)", 3072, 385_088, None),
        ("causal\nlocal(left=128)", 3072, 388_032, None),
        ("causal\nstrided(128)", 3072, 38_400, None),
        ("causal\nlocal(left=127) + strided(128)", 3072, 420_416, None),
        ("causal\nsegment(128)", 12288, 792_576, None),
        ("causal\ncolumns(period(128, 96:128))", 12288, 18_728_448, None),
        ("causal\nsegment(128) + columns(period(128, 96:128))", 12288, 19_470_336, None),
        (GEOMETRIC, 2048, 385_024, 507_904),
        ("mix(segment(64), segment(128, dilation=2), segment(256, dilation=4))", 512, 45_056, None),
        ("causal\nsegment(256, back=1)", 3072, 1_115_648, None),
        ("causal\nfull on memory(512) + full", 512, 393_472, None),
    ],
)
def test_golden_numbers(text, n, pairs, with_multiplicity):
    found = counted(Pattern.parse(text)._frontend.resolve(0, 0), n)
    assert found.pairs.most == pairs
    if with_multiplicity is not None:
        assert found.with_multiplicity.most == with_multiplicity


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("longformer", 2_043_134),
        ("led_encoder", 16_562_686),
        ("bigbird", 2_547_712),
        ("longt5_transient_global", 2_076_800),
        ("transformer_xl", 393_472),
        ("image_transformer_1d", 1_115_648),
        ("sparse_transformer_strided", 420_416),
        ("sparse_transformer_fixed", 19_470_336),
    ],
)
def test_golden_numbers_of_the_published_programs(name, pairs):
    example = EXAMPLES[name]
    assert {counted(one, example.length).pairs.most for one in distinct(example.pattern)} == {pairs}


def test_longt5_at_16384():
    pattern = Pattern.from_zoo("longt5_transient_global")._frontend.resolve(0, 0)
    assert counted(pattern, 16384).pairs.most == 20_938_880


def test_longnet_without_causality_is_what_its_paper_adds_up():
    """Segments of 16,384 and 32,768 are no multiples of 6 and 12: heads differ by a few pairs."""
    text = Pattern.from_zoo("longnet").text.replace("\ncausal\n", "\n")
    heads = [Pattern.parse(text)._frontend.resolve(0, head) for head in range(12)]
    found = [counted(head, 32768).with_multiplicity.most for head in heads]
    assert (min(found), max(found)) == (139_799_212, 139_815_595)


def test_multiplicities_of_three_branches():
    pattern = Pattern.parse("mix(segment(64), segment(128, dilation=2), segment(256, dilation=4))")
    times = np.bincount(pattern.multiplicity(512).ravel())
    assert times[1:].tolist() == [34_816, 8_192, 2_048]
    found = counted(pattern._frontend.resolve(0, 0), 512)
    assert found.with_multiplicity.most == 34_816 + 2 * 8_192 + 3 * 2_048


# Lengths no mask has.


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("longformer", 515 * 10**9 - 66_306),
        ("sliding_window", 4096 * 10**9 - 8_386_560),
        ("streaming_llm", 1024 * 10**9 - 523_776),
        ("causal", 10**9 * (10**9 + 1) // 2),
    ],
)
def test_a_billion_tokens(name, pairs):
    assert counted(EXAMPLES[name].pattern._frontend.resolve(0, 0), 10**9).pairs.most == pairs


@pytest.mark.sweep
@pytest.mark.parametrize("name", list(filter(closed, EXAMPLES)))
def test_every_length_to_512_and_some_to_4096(name):
    for pattern in distinct(smaller(name)):
        verify(
            pattern, (*range(1, 513), 1000, 1023, 1024, 1025, 2047, 2048, 2049, 3001, 4095, 4096)
        )


def before(form: str) -> tuple[str, int] | None:
    """The form said to hold one length of its residue earlier, and that length."""
    found = re.fullmatch(r"(.+ for n >= )(\d+)((?:, n % (\d+) == \d+)?)", form)
    earlier = int(found[2]) - int(found[4] or 1) if found else -1
    return None if found is None or earlier < 0 else (f"{found[1]}{earlier}{found[3]}", earlier)


def verify_start(pattern: HeadPattern) -> None:
    """Just below the stated start the form is wrong: the start is the least there is."""
    count = counted(pattern, 512).with_multiplicity
    earlier = before(count.form)
    if earlier is not None and earlier[1] <= 1024:
        form, n = earlier
        assert value(form, n) != multiplicity(pattern, n, None, {}, {"encoder": n}).sum(), (
            count.form
        )


@pytest.mark.parametrize("name", [name for name in EXAMPLES if closed(name)])
def test_closed_forms_of_examples_hold_from_the_least_length_on(name):
    for pattern in distinct(smaller(name))[:2]:
        verify_start(pattern)


@settings(max_examples=8, deadline=None)
@given(patterns)
def test_closed_forms_hold_from_the_least_length_on(pattern):
    assume(fitting(pattern) is None)
    verify_start(pattern)


@pytest.mark.sweep
@settings(max_examples=60, deadline=None)
@given(patterns)
def test_many_closed_forms_hold_from_the_least_length_on(pattern):
    assume(fitting(pattern) is None)
    verify_start(pattern)
