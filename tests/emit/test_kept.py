"""Plans of run-time tables: kept by their content, and right for whatever is asked next."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import pytest
import torch

from tests.emit.test_cpu import module_of

Tensor = torch.Tensor


def documents(n: int) -> dict[str, Tensor]:
    return {"doc": torch.arange(n) // 90}


def assert_reference(module: ModuleType, n: int, queries: int, inputs: dict[str, Tensor]) -> None:
    torch.manual_seed(n)
    q, k, v = (torch.randn(2, 2, rows, 8, dtype=torch.float64) for rows in (queries, n, n))
    found = module.attention(q, k, v, **inputs)
    torch.testing.assert_close(found, module.reference(q, k, v, **inputs))


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a module plans anew from now on."""

    def of(module: ModuleType) -> list[Any]:
        taken: list[Any] = []
        plan = module._all_pieces

        def recorded(*call: Any) -> Any:
            taken.append(call)
            return plan(*call)

        monkeypatch.setattr(module, "_all_pieces", recorded)
        return taken

    return of


def test_steps_of_decoding_with_labels_share_a_plan(planned: Any) -> None:
    module = module_of("causal & same(doc) & local(70)")
    taken = planned(module)
    for n in range(193, 225):
        assert_reference(module, n, 1, documents(n))
    assert len(taken) == 1


def test_steps_with_sets_and_lists_are_right_at_every_length(
    planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of("causal & (local(9) + columns(kept) + listed(plan))")
    monkeypatch.setattr(module, "_FEW_PAIRS", 0)  # of none is each asked
    taken = planned(module)
    torch.manual_seed(0)
    kept, plan = torch.rand(300) < 0.2, torch.randint(-1, 60, (300, 4))
    plan[60:] = -1
    kept[192:] = False
    for n in (*range(193, 203), 250, 300):
        assert_reference(module, n, 2, {"kept": kept[:n], "plan": plan[:n]})
    assert len(taken) < 6


def test_layers_with_equal_labels_share_a_plan_and_other_labels_have_their_own(
    planned: Any,
) -> None:
    module = module_of("causal & same(doc)")
    taken = planned(module)
    for _ in range(3):
        assert_reference(module, 200, 200, documents(200))
    assert len(taken) == 1
    labels = documents(200)["doc"]
    assert_reference(module, 200, 200, {"doc": labels.clone()})
    assert len(taken) == 1
    labels[150] = 7  # in place: the same tensor is another content
    assert_reference(module, 200, 200, {"doc": labels})
    assert len(taken) == 2
    assert_reference(module, 200, 200, {"doc": torch.stack([labels, documents(200)["doc"]])})
    assert len(taken) == 3


def test_the_plans_that_are_kept_are_bounded() -> None:
    kept = module_of("causal & same(doc)")._Kept(3)
    for number in (0, 1, 2, 0, 3, 4):
        kept.found(number, lambda number=number: number)
    assert list(kept.results) == [0, 3, 4]


def test_threads_may_plan_at_once() -> None:
    module, wrong = module_of("causal & same(doc)"), []
    torch.manual_seed(0)
    q = torch.randn(1, 2, 130, 8, dtype=torch.float64)

    def attend(start: int) -> None:
        for number in range(start, start + 12):
            doc = torch.arange(130) // (20 + number % 16)
            wanted = module.reference(q, q, q, doc=doc)
            if not torch.allclose(module.attention(q, q, q, doc=doc), wanted):
                wrong.append(number)

    threads = [threading.Thread(target=attend, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_empty_columns_of_lists_are_dropped_and_nothing_else_is() -> None:
    """Lists that are as wide as the sequence, with three entries a row, cost as three columns."""
    module = module_of("local(1) + listed(plan)")
    torch.manual_seed(0)
    plan = torch.full((2, 1, 160, 160), -1)
    plan[..., :3] = torch.randint(-1, 160, (2, 1, 160, 3))
    plan = plan[..., torch.randperm(160)]
    (group,) = module._GROUPS[0]
    (slot,) = {slot for launch in group.passes for slot in launch.tables}
    table = slot.build(module._Size(160, 160), torch.device("cpu"), {"plan": plan}, 0, (0, 1))
    assert table.shape == (2, 1, 160, 3)
    assert_reference(module, 160, 160, {"plan": plan})
    plan[0, 0, 5] = torch.arange(160)  # one row that lists all
    assert_reference(module, 160, 160, {"plan": plan})


@pytest.mark.parametrize("width", [16, 17, 40])
def test_long_lists_are_looked_up_as_short_ones_are(width: int) -> None:
    module = module_of("listed(plan)")
    torch.manual_seed(width)
    plan = torch.randint(-1, 90, (2, 2, 90, width))
    held = torch.zeros(2, 2, 90, 91, dtype=torch.bool)
    held.scatter_(3, plan.where(plan >= 0, 90), True)
    found = module.mask(90, plan=plan[:, :1])
    assert torch.equal(found[:, 0], held[:, 0, :, :90])


def test_labels_of_64_bits_are_told_apart() -> None:
    module = module_of("same(doc)")
    for high in (5, 1 << 40):
        doc = torch.tensor([0, high, high, -high, 1, high + 1])
        wanted = (doc[:, None] == doc) & (doc >= 0)
        assert torch.equal(module.mask(6, doc=doc)[0], wanted)


def test_inputs_equal_to_those_of_the_last_call_are_not_made_into_tables_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Equal contents count, wherever they are, and memory that changes unseen."""
    module = module_of("causal & same(doc) + columns(kept) + listed(plan)")
    built: list[object] = []
    build = module._pieces_of_tables
    monkeypatch.setattr(
        module, "_pieces_of_tables", lambda *call: built.append(call) or build(*call)
    )
    array = documents(200)["doc"].numpy().copy()
    inputs = {
        "doc": torch.from_numpy(array),
        "kept": torch.arange(200) % 50 == 3,
        "plan": torch.arange(200)[:, None] - torch.tensor([0, 7, 90]),
    }
    for _ in range(3):
        assert_reference(module, 200, 1, inputs)
        assert_reference(module, 200, 1, {name: part.clone() for name, part in inputs.items()})
    assert len(built) == 1
    array[150:] = 9  # behind the back of torch
    assert_reference(module, 200, 1, inputs)
    assert len(built) == 2
    for name, changed in (("kept", 5), ("plan", (199, 1)), ("doc", 3)):
        inputs[name][changed] = {"kept": True, "plan": 0, "doc": 7}[name]
        assert_reference(module, 200, 1, inputs)
    assert len(built) == 5
    assert_reference(module, 200, 2, inputs)
    assert len(built) == 6


def test_labels_that_leave_rows_without_keys_are_warned_of_again() -> None:
    module = module_of("causal & same(doc)")
    q = torch.randn(1, 2, 1, 8)
    k = torch.randn(1, 2, 200, 8)
    doc = torch.tensor([0] * 199 + [-1])
    for _ in range(3):
        with pytest.warns(UserWarning, match="the queries are the last rows"):
            module.attention(q, k, k, doc=doc)


@pytest.mark.parametrize(
    "text",
    [
        "blocks(6) { random(2, avoid=same(doc)) + diagonal }",
        "blocks(parts=2) { random(1, avoid=same(doc)) + diagonal }",
    ],
)
def test_a_call_may_be_repeated_where_labels_of_blocks_say_what_draws_avoid(text: str) -> None:
    module = module_of(text)
    for _ in range(2):
        assert_reference(module, 12, 12, {"doc": torch.tensor([0, 1])})


def test_rows_of_lists_before_the_queries_are_not_looked_at() -> None:
    """But entries past the end are refused in every row."""
    module = module_of("listed(plan)")
    plan = torch.full((200, 3), 5)
    assert_reference(module, 200, 3, {"plan": plan})
    for first in range(3):
        plan[197 + first] = torch.tensor([first, 190 + first, -1])
        assert_reference(module, 200, 3, {"plan": plan})
    plan[0, 0] = 200
    q, k = torch.randn(1, 2, 1, 8), torch.randn(1, 2, 200, 8)
    with pytest.raises(ValueError, match="has an entry 200"):
        module.attention(q, k, k, plan=plan)
