"""Questions that a pattern cannot be asked, and what they are told, letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from patternc import Pattern
from patternc.semantics.errors import InputError

WINDOW = Pattern.parse("heads 2\nlayers 2\nlocal(2)")
SAME = Pattern.parse("same(doc)")
LISTED = Pattern.parse("listed(plan)")
CROSSED = Pattern.parse("full on encoder")
PACKED = Pattern.parse("heads 2\nhead < 1 -> same(doc) & columns(kept)\nelse -> listed(plan)")
HELD = Pattern.parse("local(1) + full on memory(4)")

Ask = Callable[[], Any]
CASES: dict[str, tuple[Ask, type[Exception], str]] = {
    "no whole length": (
        lambda: WINDOW.mask(4.0),  # type: ignore[arg-type]
        TypeError,
        "n is 4.0 (float); expected an integer",
    ),
    "a length in letters": (
        lambda: WINDOW.pairs("4"),  # type: ignore[arg-type]
        TypeError,
        "n is '4' (str); expected an integer",
    ),
    "a truth for a length": (
        lambda: WINDOW.layout(True),
        TypeError,
        "n is True (bool); expected an integer",
    ),
    "nothing for a length": (
        lambda: WINDOW.columns(None),  # type: ignore[arg-type]
        TypeError,
        "n is None; expected an integer",
    ),
    "a negative length": (lambda: WINDOW.check(-1), ValueError, "n is -1; expected at least 0"),
    "negative queries": (
        lambda: WINDOW.mask(4, -1),
        ValueError,
        "queries is -1; expected at least 0",
    ),
    "a layer too many": (
        lambda: WINDOW.compile(layer=2),
        ValueError,
        "layer 2 is out of range; layers count from 0 to 1",
    ),
    "a layer before the first": (
        lambda: SAME.relations(-1),
        ValueError,
        "layer -1 is out of range; layers count from 0",
    ),
    "half a layer": (
        lambda: WINDOW.pairs(4, layer=0.5),  # type: ignore[arg-type]
        TypeError,
        "layer is 0.5 (float); expected an integer, layers count from 0",
    ),
    "three tiles": (
        lambda: WINDOW.layout(4, block=(1, 2, 3)),  # type: ignore[arg-type]
        ValueError,
        "block is (1, 2, 3) (tuple); expected a size or (query tile, key tile)",
    ),
    "a tile of nothing": (
        lambda: WINDOW.layout(4, block=0),
        ValueError,
        "block is 0; expected at least 1",
    ),
    "a comparison with a mask of other heads": (
        lambda: WINDOW.diff(np.zeros((3, 3), bool), layers=2),  # type: ignore[call-overload]
        TypeError,
        "layers is for two patterns: a mask is compared with one layer=",
    ),
    "a comparison with nothing": (
        lambda: WINDOW.diff(None),  # type: ignore[call-overload]
        TypeError,
        "other is None; expected a Pattern, the text of one, or a mask",
    ),
    "slots of no source": (
        lambda: HELD.mask(4, slots={"memry": 2}),
        InputError,
        "slots has 'memry'; only the slots of memory, compressed, store, encoder are set at "
        "call time",
    ),
    "slots without a source": (
        lambda: HELD.mask(4, slots=3),  # type: ignore[arg-type]
        TypeError,
        "slots is 3 (int); expected a mapping such as {'memory': 512}",
    ),
    "half a slot": (
        lambda: HELD.mask(4, slots={"memory": 2.5}),  # type: ignore[dict-item]
        TypeError,
        "slots['memory'] is 2.5 (float); expected an integer",
    ),
    "more slots than declared": (
        lambda: HELD.mask(4, slots={"memory": 9}),
        InputError,
        "memory has 9 slots; expected at most 4",
    ),
    "another data type": (
        lambda: WINDOW.compile(dtype="float8"),
        ValueError,
        "dtype is 'float8' (str); expected one of float32, float16, bfloat16",
    ),
    "heads of no size": (
        lambda: WINDOW.compile(head_dim=0),
        ValueError,
        "head_dim is 0; expected at least 1",
    ),
    "labels of another length": (
        lambda: SAME.mask(4, doc=[0, 0, 1]),
        InputError,
        "`doc` must be integers [4] or [batch, 4], got int64 [3]",
    ),
    "no labels": (
        lambda: SAME.mask(4),
        InputError,
        "the run-time input `doc` is missing; pass doc=..",
    ),
    "no list": (
        lambda: LISTED.mask(4),
        InputError,
        "the run-time input `plan` is missing; pass plan=..",
    ),
    "keys of an encoder in place of their number": (
        lambda: CROSSED.mask(6, encoder_kv=6),
        InputError,
        "unexpected input 'encoder_kv': pass the number of slots of `encoder` as "
        "slots={'encoder': m}",
    ),
    "the number of an encoder's slots by its name": (
        lambda: CROSSED.mask(6, encoder=6),
        InputError,
        "unexpected input 'encoder': pass the number of slots of `encoder` as slots={'encoder': m}",
    ),
    "an encoder of no length": (
        lambda: CROSSED.pairs(6),
        InputError,
        "the length of the encoder's sequence is missing; pass slots={'encoder': m}",
    ),
    "labels of two batches": (
        lambda: PACKED.mask(2, doc=[[0, 0]] * 2, kept=np.ones((3, 2), np.bool_)),
        InputError,
        "the inputs differ in batch size: `doc` has 2 and `kept` has 3",
    ),
    "a layout of two batch elements": (
        lambda: SAME.layout(2, doc=[[0, 0]] * 2),
        InputError,
        "a layout is defined for one batch element, the inputs have 2; say which: batch_element=0, "
        "--batch-element 0 of a command",
    ),
    "no batch elements": (
        lambda: SAME.mask(2, doc=np.zeros((0, 2), np.int64)),
        InputError,
        "a run-time input has an empty batch; expected at least 1 element",
    ),
    "an input of another name": (
        lambda: SAME.mask(4, docs=[0] * 4),
        InputError,
        "unknown run-time input 'docs'; this pattern takes: doc",
    ),
    "no text": (
        lambda: Pattern.parse(3),  # type: ignore[arg-type]
        TypeError,
        "expected the text of a program, got int; `load` reads a file",
    ),
    "no name": (
        lambda: Pattern.from_zoo(3),  # type: ignore[arg-type]
        TypeError,
        "the name of a published pattern must be a string, not 3",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_question_out_of_place_is_told_what_is_expected(what: str) -> None:
    ask, kind, message = CASES[what]
    with pytest.raises(kind) as caught:
        ask()
    assert str(caught.value) == message


def test_rows_of_unequal_length_are_no_labels() -> None:
    with pytest.raises(
        InputError, match=r"^`doc` is not an array: .*; expected integers \[n\] or \[batch, n\]"
    ):
        SAME.mask(2, doc=[[0, 0], [1]])


def test_numbers_of_other_libraries_are_numbers() -> None:
    assert (WINDOW.mask(np.int32(4), layer=np.uint8(1)) == WINDOW.mask(4, layer=1)).all()


def test_a_data_type_may_be_torchs_own() -> None:
    torch = pytest.importorskip("torch")
    assert WINDOW.compile(dtype=torch.float16) == WINDOW.compile(dtype="float16")


def test_inputs_of_a_batch_give_masks_and_pairs_of_a_batch() -> None:
    """[batch, heads, queries, n] and a list of each batch element's heads; one is left out."""
    doc = np.array([[0, 0, 1, 1], [0, 1, 1, -1]])
    kept = np.array([[True, True, False, True]])
    plan = np.array([[[[0], [1], [2], [3]]], [[[3], [-1], [-1], [0]]]])
    given = {"doc": doc, "kept": kept, "plan": plan}
    found = PACKED.mask(4, **given)
    assert found.shape == (2, 2, 4, 4)
    for element in range(2):
        own = {"doc": doc[element], "kept": kept[0], "plan": plan[element]}
        assert (found[element] == PACKED.mask(4, **own)).all()
        assert PACKED.pairs(4, **given)[element] == PACKED.pairs(4, **own)
    assert PACKED.mask(4, doc=doc[:1], kept=kept, plan=plan[:1]).shape == (2, 4, 4)
    assert PACKED.mask(4, 1, **given).shape == (2, 2, 1, 4)
    assert PACKED.multiplicity(4, **given).sum((2, 3)).tolist() == PACKED.pairs(4, **given)
