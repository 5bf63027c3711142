"""Plans against dense masks: which keys ranks need, and what is sent.

`make test` takes some examples of each kind; `@pytest.mark.sweep` all of them.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from patternc import Pattern
from patternc.cli.main import commands
from patternc.distributed.key_sets import KeySet, Piece, interval, progression, united
from patternc.distributed.needs import needs
from patternc.distributed.placement import placement

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.pat"))
KINDS = ["contiguous", "head_tail", "striped"]


def positions(held):
    return set(held.positions().tolist())


def test_sets_of_keys_agree_with_sets_of_numbers():
    rng = np.random.default_rng(0)
    for _ in range(200):
        sides = []
        for _ in range(2):
            ends = np.sort(rng.integers(0, 60, (3, 2)), 1).tolist()
            sides.append([progression(a, b, int(rng.integers(1, 7))) for a, b in ends])
        left, right = map(united, sides)
        one, other = ({p for each in side for p in positions(each)} for side in sides)
        assert (positions(left), positions(right)) == (one, other)
        assert positions(left | right) == one | other
        assert positions(left & right) == one & other
        assert positions(left - right) == one - other
        assert left.count == len(one)
        assert all(a.stop <= b.start for a, b in pairwise((left | right).pieces))


def test_a_set_of_a_billion_keys_is_counted_by_its_residues():
    every = progression(0, 10**9, 6) | progression(0, 10**9, 4)
    assert every.count == 166_666_667 + 250_000_000 - 83_333_334
    assert (every - interval(0, 10**9 - 16)).count == 5


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_held_once_in_the_order_of_torch(kind):
    torch = pytest.importorskip("torch")
    for n in (0, 1, 7, 16, 33):
        for ranks in (1, 3, 8):
            placed = placement(kind, n, ranks)
            rows = [placed.positions(rank) for rank in range(ranks)]
            assert sorted(np.concatenate(rows).tolist()) == list(range(n))
            for rank, own in enumerate(rows):
                assert set(placed.owner_of(own).tolist()) <= {rank}
                assert positions(placed.rows[rank]) == set(own.tolist())
            if kind == "contiguous" and n:
                chunks = torch.arange(n).chunk(ranks)
                assert [c.tolist() for c in chunks] == [r.tolist() for r in rows[: len(chunks)]]


def test_documents_are_kept_whole():
    placed = placement("documents", 100, 3, [30, 5, 40, 25])
    assert placed.bounds == (0, 35, 75, 100)
    with pytest.raises(ValueError, match=r"expected n = 90"):
        placement("documents", 90, 3, [30, 5, 40, 25])


def verify(pattern, n, ranks, kind, layer=0, **inputs):
    """The keys that are sent to a rank hold those of its rows in the mask, and are these."""
    placed = placement(kind, n, ranks)
    masks = pattern.mask(n, layer=layer, **inputs)
    tables = pattern.head_tables(n, layer, **inputs)
    for head, (relation, own) in enumerate(zip(pattern.relations(layer), tables, strict=True)):
        found = needs(relation, own, placed)
        for rank in range(ranks):
            rows = placed.positions(rank)
            held = np.flatnonzero(masks[head, rows].any(0)) if len(rows) else np.zeros(0, int)
            expected = set(held.tolist()) - set(rows.tolist())
            assert positions(found.keys[rank]) == expected, (kind, ranks, rank, head, found)
            counts = placed.counts(found.keys[rank])
            assert counts.sum() == len(expected)
            assert not counts[rank]


TEXTS = [
    "local(3) + global([0])",
    "causal\nlocal(left=3, dilation=2)",
    "causal\nlocal(left=2) + strided(7)",
    "blocks(4) { local(1) + global([0, -1]) + random(2) }",
    "causal\nheads 2\nmix(segment(8), segment(16, dilation=2, offset=head))",
    "full",
    "local(4) - local(1)",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_keys_of_others_are_those_of_the_dense_mask(text, kind):
    pattern = Pattern.parse(text)
    for n, ranks in ((37, 3), (32, 4), (5, 8)):
        verify(pattern, n, ranks, kind)


def test_labels_leave_the_documents_of_a_rank():
    pattern = Pattern.parse("causal\nsame(document)")
    labels = np.repeat(np.arange(5), 8)
    verify(pattern, 40, 4, "contiguous", document=labels)


def static(example):
    """Examples whose keys are all tokens, and known before a call."""
    pattern = Pattern.load(example)
    fits = all(pattern.fitting(layer) is None for layer in range(pattern.layers or 1))
    tokens_alone = all(str(source) == "Tokens()" for source in pattern.sources())
    return fits and tokens_alone and not any(item.decides for item in pattern.inputs)


@pytest.mark.sweep
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_keys_of_others_in_every_example(example):
    if not static(example):
        pytest.skip("its keys are not tokens alone, or follow from a call")
    pattern = Pattern.load(example)
    for kind in KINDS:
        for n, ranks in ((203, 3), (130, 8)):
            verify(pattern, n, ranks, kind, (pattern.layers or 1) - 1)


def test_a_billion_tokens_on_a_thousand_ranks():
    plan = Pattern.parse("causal\nlocal(left=255)").plan(10**9, 1024, device="h200")
    layer = plan.layers[0]
    assert layer.way == "halo"
    assert layer.bytes == 1023 * 255 * 2 * 64 * 2
    assert layer.messages.tolist() == [0] + [1] * 1023
    assert layer.pairs.sum() == Pattern.parse("causal\nlocal(left=255)").pairs(10**9)[0]
    assert "1,024 ranks on NVIDIA H200 SXM" in repr(plan)


def test_whole_heads_are_exchanged_where_that_is_less():
    plan = Pattern.parse("heads 4\nfull").plan(64, 4)
    assert plan.layers[0].way == "heads"
    assert Pattern.parse("heads 4\nlocal(1)").plan(64, 4).layers[0].way == "halo"


def test_the_command_prints_text_and_json():
    arguments = ["plan", "-e", "local(2)", "-n", "1e3", "--ranks", "4"]
    text = CliRunner().invoke(commands, arguments)
    assert text.exit_code == 0, text.output
    assert "halo" in text.output
    told = json.loads(CliRunner().invoke(commands, [*arguments, "--output-format", "json"]).output)
    assert told["layers"][0]["bytes_received"] == [512, 1024, 1024, 512]
    assert CliRunner().invoke(commands, [*arguments[:4], "0.5", *arguments[5:]]).exit_code == 2


def test_a_piece_counts_what_is_below_a_bound():
    piece = Piece(3, 40, 6, (1, 4))
    held = [p for p in range(3, 40) if p % 6 in (1, 4)]
    bounds = np.arange(45)
    assert piece.below(bounds).tolist() == [sum(p < b for p in held) for b in bounds]
    assert KeySet((piece,)).count == len(held)
