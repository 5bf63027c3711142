"""One process of a test: attention of its shard against that of the whole sequence."""

from __future__ import annotations

import os
import traceback
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from patternc import Pattern
from patternc.distributed import DisagreementError, ExchangeError, attention, execute
from patternc.distributed.exchange import COUNTED
from patternc.distributed.execute import _placed


def spawned(work, ranks, *arguments):
    """`work(rank, ranks, *arguments)` in so many processes; raises what one of them does."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_entered, (work, ranks, port, arguments), ranks)


def _entered(rank, work, ranks, port, arguments):
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=ranks, timeout=timedelta(seconds=20))
    try:
        work(rank, ranks, *arguments)
    except Exception:
        traceback.print_exc()
        raise
    finally:
        dist.destroy_process_group()


def several(rank, ranks, cases):
    """What `make test` looks at in one start of the processes; the last of it ends one."""
    compared(rank, ranks, cases)
    disagreeing(rank, ranks)
    left_alone(rank, ranks)


def compared(rank, ranks, cases):
    """Each case: text, heads, key heads, n, placement, rows of the ranks or None, inputs."""
    for case in cases:
        try:
            _compare(rank, ranks, *case)
        except Exception as error:
            raise AssertionError(f"rank {rank}: {case[:6]}: {error}") from error


def _compare(rank, ranks, text, heads, key_heads, n, kind, counts, inputs):
    pattern = Pattern.parse(text)
    torch.manual_seed(0)
    q = torch.randn(2, heads, n, 8)
    k, v = torch.randn(2, 2, key_heads, n, 8)
    weight = torch.randn(2, heads, n, 8)
    whole = [x.clone().requires_grad_() for x in (q, k, v)]
    expected = pattern.attention(*whole, **inputs)
    (expected * weight).sum().backward()
    placed = _placed(kind, counts or _usual(kind, n, ranks))
    at = torch.from_numpy(placed.positions(rank))
    own = [x[:, :, at].clone().requires_grad_() for x in (q, k, v)]
    before = COUNTED["bytes"]
    out = attention(*own, pattern, rows=kind, **inputs)
    sent = COUNTED["bytes"] - before
    (out * weight[:, :, at]).sum().backward()
    torch.testing.assert_close(out, expected[:, :, at].detach(), rtol=1e-5, atol=1e-5)
    for one, other in zip(own, whole, strict=True):
        torch.testing.assert_close(one.grad, other.grad[:, :, at], rtol=1e-4, atol=1e-5)
    _verify_bytes(pattern, rank, placed, kind, counts, key_heads, inputs, sent)


def _usual(kind, n, ranks):
    from patternc.distributed.placement import placement

    found = placement(kind, n, ranks)
    return tuple(len(found.positions(rank)) for rank in range(ranks))


def _verify_bytes(pattern, rank, placed, kind, counts, key_heads, inputs, sent):
    """What has left all ranks is what the plan says they get."""
    every = [None] * dist.get_world_size()
    dist.all_gather_object(every, sent)
    if inputs or counts:
        return
    plan = pattern.plan(
        placed.n,
        placed.ranks,
        placement=kind,
        head_dim=8,
        dtype="float32",
        kv_heads=key_heads if pattern.heads else None,
        exchange_heads=False,
    )
    heads = 1 if pattern.heads else key_heads
    assert sum(every) == 2 * heads * plan.layers[0].bytes, (sum(every), plan.layers[0].bytes)


def disagreeing(rank, ranks):
    """Each difference is found by every rank, and the next call works."""
    q = torch.randn(1, 2, 4, 8)
    own = "local(1)" if rank else "local(2)"
    labels = torch.full((8,), rank)
    _refused(f"the pattern differs .* on rank {ranks - 1}", q, own)
    _refused("the dtype differs", q.double() if rank else q, "local(1)")
    _refused("the layer differs", q, "layers 2\nlocal(1)", layer=rank)
    _refused("the input document differs", q, "same(document)", document=labels)
    assert attention(q, q, q, Pattern.parse("local(1)")).shape == q.shape


def _refused(message, q, text, **options):
    with pytest.raises(DisagreementError, match=message):
        attention(q, q, q, Pattern.parse(text), **options)


def left_alone(rank, ranks):
    """The last rank ends after all agree: the others learn that, within the timeout."""
    q = torch.randn(1, 2, 4, 8)
    if rank == ranks - 1:
        execute.gathered = lambda *_: os._exit(0)
    with pytest.raises(ExchangeError, match=f"rank {rank} waited for keys of ranks"):
        attention(q, q, q, Pattern.parse("local(1)"))
