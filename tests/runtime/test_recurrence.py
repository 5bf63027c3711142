"""The states a caller carries, and that attention with them is attention over what they hold."""

from __future__ import annotations

import doctest
import math

import pytest
import torch

from patternc import Pattern
from patternc.runtime import recurrence
from patternc.runtime.recurrence import Compression, CompressiveMemory, Memory

# Odd lengths, one longer than every memory here, and a segment of one token.
SEGMENTS = (5, 3, 11, 1, 8, 7)
TOTAL = sum(SEGMENTS)
STARTS = [sum(SEGMENTS[:index]) for index in range(len(SEGMENTS))]
START_OF = torch.tensor(STARTS).repeat_interleave(torch.tensor(SEGMENTS))
POSITIONS = torch.arange(TOTAL)


def random(*shape):
    generator = torch.Generator().manual_seed(math.prod(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def dense(query, key, value, seen):
    scores = (query @ key.mT / query.shape[-1] ** 0.5).masked_fill(~seen, -math.inf)
    return scores.softmax(-1) @ value


def by_segments(module, query, key, value, memory):
    """The module's outputs segment by segment, put together again."""
    keys, values = Memory.empty(memory, key), Memory.empty(memory, value)
    outs = []
    for parts in zip(*(tensor.split(SEGMENTS, -2) for tensor in (query, key, value)), strict=True):
        outs.append(module.attention(*parts, memory_kv=(keys.states, values.states)))
        keys, values = keys.after(parts[1]), values.after(parts[2])
    return torch.cat(outs, -2)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(recurrence)
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("length", [0, 1, 4, 7, 30, 100])
@pytest.mark.parametrize("shape", [(2, TOTAL, 3), (2, 4, TOTAL, 3)])
def test_a_memory_is_the_last_states_of_all_segments(shape, length):
    states = random(*shape)
    memory = Memory.empty(length, states)
    for start, segment in zip(STARTS, states.split(SEGMENTS, -2), strict=True):
        seen = states[..., : start + segment.shape[-2], :]
        before = memory
        leaving = memory.leaving(segment)
        memory = memory.after(segment)
        kept = min(length, seen.shape[-2])
        assert torch.equal(memory.states, seen[..., seen.shape[-2] - kept :, :])
        assert torch.equal(
            torch.cat((leaving, memory.states), -2), torch.cat((before.states, segment), -2)
        )


def test_a_memory_neither_carries_gradients_nor_follows_changes_in_place():
    segment = random(1, 4, 2).requires_grad_()
    memory = Memory.empty(3, segment).after(segment)
    assert not memory.states.requires_grad
    assert not memory.leaving(segment).requires_grad
    before = memory.states.clone()
    segment.data.zero_()
    assert torch.equal(memory.states, before)
    assert memory.states.untyped_storage().nbytes() == memory.states.nbytes


@pytest.mark.parametrize("memory", [1, 7, 16])
def test_attention_with_a_memory_is_attention_over_all_segments_so_far(memory):
    module = Pattern.parse(f"causal\n(full + full on memory({memory}))").module
    query, key, value = random(3, 2, 3, TOTAL, 8)
    seen = (POSITIONS[:, None] >= POSITIONS) & (START_OF[:, None] - memory <= POSITIONS)
    out = by_segments(module, query, key, value, memory)
    torch.testing.assert_close(out, dense(query, key, value, seen))


def test_attention_with_a_memory_of_one_length_does_not_feel_where_segments_end():
    module = Pattern.parse("causal\nlocal(left=6) + local(left=6) on memory(7)").module
    query, key, value = random(3, 2, 3, TOTAL, 8)
    distance = POSITIONS[:, None] - POSITIONS
    out = by_segments(module, query, key, value, 7)
    torch.testing.assert_close(out, dense(query, key, value, (distance >= 0) & (distance <= 6)))


@pytest.mark.parametrize(("length", "memory"), [(5, 5), (5, 7), (7, 3), (3, 7)])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_reach_goes_back_by_a_memory_from_the_start_of_a_segment_in_every_layer(
    length, memory, layers
):
    """Row p of the batch differs from the last one in token p: where is that felt?

    Queries of zeros see all their keys alike, so that none is seen too faintly to tell.
    """
    module = Pattern.parse(f"causal\n(full + full on memory({memory}))").module
    n = 6 * length - 2
    tokens = random(1, 1, n, 4).repeat(n + 1, 1, 1, 1)
    tokens[range(n), 0, range(n)] += 1.0
    memories = [Memory.empty(memory, tokens) for _ in range(layers)]
    outs = []
    for hidden in tokens.split(length, -2):
        for layer, carried in enumerate(memories):
            memories[layer] = carried.after(hidden)
            states = (carried.states, carried.states)
            hidden = hidden + module.attention(0 * hidden, hidden, hidden, memory_kv=states)
        outs.append(hidden)
    out = torch.cat(outs, -2)
    felt = ((out[:n] - out[n:]).abs().amax((1, 3)) > 1e-9).int()
    oldest = torch.arange(n)
    for _ in range(layers):
        oldest = (oldest // length * length - memory).clamp(min=0)
    assert torch.equal(felt.argmax(0), oldest)


def test_compression_of_each_kind_against_its_definition():
    states = random(2, 3, 11, 4)
    windows = states[..., 2:, :].reshape(2, 3, 3, 3, 4)
    torch.testing.assert_close(Compression(3)(states), windows.mean(-2))
    assert torch.equal(Compression(3, by="max")(states), windows.amax(-2))
    convolution = Compression(3, by="convolution", dim=4).double()
    weight, bias = convolution.convolution.weight, convolution.convolution.bias
    expected = torch.einsum("bhstd,edt->bhse", windows, weight) + bias
    torch.testing.assert_close(convolution(states), expected)
    torch.testing.assert_close(convolution(states[:, 0]), expected[:, 0])


@pytest.mark.parametrize("by", ["mean", "max", "convolution"])
@pytest.mark.parametrize("n", [0, 2])
def test_too_few_states_for_a_slot_make_none(by, n):
    compression = Compression(3, by=by, dim=4 if by == "convolution" else None)
    assert compression(torch.zeros(2, 5, n, 4)).shape == (2, 5, 0, 4)


def test_the_sizes_of_a_compressive_memory_are_those_of_the_pytorch_package():
    """compressive-transformer-pytorch 0.4.0: segments of 8, memory 12, 4 slots, rate 4."""
    states = random(1, 48, 2)
    state = CompressiveMemory.empty(12, 4, Compression(4), states)
    sizes = []
    for segment in states.split(8, 1):
        sizes.append((state.memory.states.shape[1], state.compressed.states.shape[1]))
        state = state.after(segment)
    assert sizes == [(0, 0), (8, 0), (12, 1), (12, 3), (12, 4), (12, 4)]


@pytest.mark.parametrize("by", ["mean", "max", "convolution"])
def test_a_slot_ends_whole_slots_before_the_oldest_memory_position(by):
    memory, slots, rate, length = 6, 5, 3, 9
    states = random(2, 45, 4)
    compression = Compression(rate, by=by, dim=4 if by == "convolution" else None).double()
    state = CompressiveMemory.empty(memory, slots, compression, states)
    for end in range(length, 46, length):
        state = state.after(states[:, end - length : end])
        oldest = end - memory
        first = oldest - rate * state.compressed.states.shape[1]
        assert first == max(0, oldest - rate * slots)
        torch.testing.assert_close(state.compressed.states, compression(states[:, first:oldest]))
        assert torch.equal(state.memory.states, states[:, oldest:end])


def test_states_that_fill_no_slot_are_the_oldest_of_a_segment():
    states = torch.arange(15.0).reshape(1, 15, 1)
    state = CompressiveMemory.empty(0, 9, Compression(2), states)
    for segment in states.split(5, 1):
        state = state.after(segment)
    assert state.compressed.states.flatten().tolist() == [1.5, 3.5, 6.5, 8.5, 11.5, 13.5]


def test_attention_with_a_compressive_memory_is_attention_over_slots_memory_and_segment():
    module = Pattern.parse(
        "causal\nfull on compressed(4, rate=2) + full on memory(5) + full"
    ).module
    query, key, value = random(3, 2, 3, TOTAL, 8)
    keys = CompressiveMemory.empty(5, 4, Compression(2), key)
    values = CompressiveMemory.empty(5, 4, Compression(2), value)
    for q, k, v in zip(*(t.split(SEGMENTS, -2) for t in (query, key, value)), strict=True):
        out = module.attention(
            q,
            k,
            v,
            memory_kv=(keys.memory.states, values.memory.states),
            compressed_kv=(keys.compressed.states, values.compressed.states),
        )
        all_keys = torch.cat((keys.compressed.states, keys.memory.states, k), -2)
        all_values = torch.cat((values.compressed.states, values.memory.states, v), -2)
        seen = torch.ones(q.shape[-2], all_keys.shape[-2], dtype=torch.bool)
        seen = seen.tril(all_keys.shape[-2] - q.shape[-2])
        torch.testing.assert_close(out, dense(q, all_keys, all_values, seen))
        keys, values = keys.after(k), values.after(v)
    assert keys.compressed.states.shape[-2] == 4


def test_a_convolution_learns_from_what_leaves_and_not_through_what_is_carried():
    states = random(1, 8, 4).requires_grad_()
    compression = Compression(2, by="convolution", dim=4).double()
    state = CompressiveMemory.empty(3, 4, compression, states)
    assert not state.after(states).compressed.states.requires_grad
    compression(state.memory.leaving(states)).sum().backward()
    assert compression.convolution.weight.grad.abs().min() > 0
    assert states.grad is None


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        (torch.zeros(3, 5, 4), r"a segment of \[3, n, 4\] torch.float32 .* holds \[2, n, 4\]"),
        (torch.zeros(2, 5, 6), r"a segment of \[2, n, 6\]"),
        (torch.zeros(2, 1, 5, 4), r"a segment of \[2, 1, n, 4\]"),
        (torch.zeros(2, 5, 4).double(), "torch.float64 .* torch.float32"),
        (torch.zeros(5, 4), r"states \[5, 4\]; expected \[batch, n, dim\]"),
    ],
)
def test_a_segment_of_another_kind_is_refused(segment, message):
    memory = Memory.empty(4, torch.zeros(2, 0, 4))
    with pytest.raises(ValueError, match=message):
        memory.after(segment)
    with pytest.raises(ValueError, match=message):
        memory.leaving(segment)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Memory.empty(-1, torch.zeros(1, 0, 4)), "length is -1; expected at least 0"),
        (lambda: Memory(2, torch.zeros(1, 3, 4)), "3 states are too many for a memory of 2"),
        (lambda: Compression(0), "a rate is 0; expected at least 1"),
        (lambda: Compression(2, by="most-used"), "by='most-used'; expected"),
        (lambda: Compression(2, by="convolution"), "dim is expected"),
        (lambda: Compression(2, dim=4), "dim is expected"),
        (
            lambda: Compression(2, by="convolution", dim=4)(torch.zeros(1, 2, 3)),
            r"states \[1, 2, 3\]; the convolution is for \[.., n, 4\]",
        ),
    ],
)
def test_bad_sizes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
