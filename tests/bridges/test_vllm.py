"""Patterns on the attention layers of vLLM, by a stand-in with the attributes that it reads.

vLLM itself is not installed here: `Step` reads `logical_mask_mod` and `block_sparsity_hint` as its
FlexAttention backend does, for packed queries over a paged cache, with one object for all layers.
"""

from __future__ import annotations

import pytest
import torch

from patternc import Pattern
from patternc.bridges.vllm import apply

BLOCK = 16


class FlexAttentionImpl:
    def __init__(self, sliding_window=None):
        self.sliding_window = sliding_window


class FlashAttentionImpl(FlexAttentionImpl):
    pass


class Attention(torch.nn.Module):
    def __init__(self, name, heads=4, window=None, impl=FlexAttentionImpl, attn_type="decoder"):
        super().__init__()
        self.layer_name, self.num_heads, self.sliding_window = name, heads, window
        self.impl, self.attn_type, self.use_mm_prefix = impl(window), attn_type, False


def model(layers=2, **options):
    every = [Attention(f"model.layers.{at}.self_attn.attn", **options) for at in range(layers)]
    return torch.nn.ModuleDict({str(at): layer for at, layer in enumerate(every)})


class Step:
    """One step of the engine: `queries` new tokens of sequences of `lengths`."""

    def __init__(self, queries, lengths):
        self.lengths, self.heads = lengths, 4
        self.sequence = torch.tensor([s for s, q in enumerate(queries) for _ in range(q)])
        starts = [n - q for q, n in zip(queries, lengths, strict=True)]
        self.position = torch.tensor(
            [start + r for start, q in zip(starts, queries, strict=True) for r in range(q)]
        )
        self.mask_mod, self.hint = lambda b, h, q, kv: q >= kv, None

    def pairs(self, layer):
        """Which keys [heads, tokens, keys] the layer's tokens see, and which blocks are visited."""
        self.mask_mod = getattr(layer, "logical_mask_mod", None) or self.mask_mod
        self.hint = getattr(layer, "block_sparsity_hint", None) or self.hint
        keys = torch.arange(-(-max(self.lengths) // BLOCK) * BLOCK)
        head = torch.arange(self.heads)[:, None, None]
        own = self.mask_mod(torch.zeros(()), head, self.position[None, :, None], keys)
        valid = keys < torch.tensor(self.lengths)[self.sequence][:, None]
        blocks = torch.arange(len(keys) // BLOCK)[None, :]
        visited = self.hint.hint_fn(self.position[:, None] // BLOCK, blocks, BLOCK)
        assert visited.dtype == torch.bool
        assert visited.shape == (len(self.position), blocks.shape[1])
        return (own & valid).expand(self.heads, -1, -1), visited

    def expected(self, pattern, layer):
        width = -(-max(self.lengths) // BLOCK) * BLOCK
        found = torch.zeros(self.heads, len(self.position), width, dtype=torch.bool)
        for at, (s, i) in enumerate(
            zip(self.sequence.tolist(), self.position.tolist(), strict=True)
        ):
            mask = torch.from_numpy(pattern.mask(self.lengths[s], layer=layer))
            found[:, at, : self.lengths[s]] = mask[:, i].expand(self.heads, -1)
        return found


@pytest.mark.parametrize(
    "text",
    [
        "causal\nlocal(left=20)",
        "causal\ncolumns([0:4]) + local(left=30)",
        "causal\nlocal(left=3) + strided(32)",
        "causal\nheads 4\nlocal(left=4 + 20 * head)",
        "causal\nheads 4\nhead % 2 == 0 -> local(left=9)\nelse -> full",
        "causal\nlayers 2\nlayer == 0 -> local(left=9)\nelse -> full",
        "causal",
    ],
)
def test_layers_see_what_the_pattern_says_and_visit_no_needless_blocks(text):
    pattern, served = Pattern.parse(text), model()
    assert apply(served, pattern) == tuple(f"model.layers.{at}.self_attn.attn" for at in (0, 1))
    step = Step(queries=[1, 4, 2], lengths=[90, 37, 2])
    for at, layer in enumerate(served.values()):
        own, visited = step.pairs(layer)
        expected = step.expected(pattern, at)
        assert torch.equal(own, expected)
        seen = expected.any(0).unflatten(1, (-1, BLOCK)).any(2)
        assert not (seen & ~visited).any()
    if "left=20)" in text:
        assert visited[0].tolist() == [False, False, False, True, True, True]


def test_equal_layers_share_their_functions_so_that_nothing_is_built_again():
    served = model()
    apply(served, Pattern.parse("causal\nlocal(left=20)"))
    one, other = served.values()
    assert one.logical_mask_mod is other.logical_mask_mod
    assert one.block_sparsity_hint is other.block_sparsity_hint


def test_every_layer_gets_both_as_the_engine_keeps_those_of_the_layer_before():
    served = model()
    apply(served, Pattern.parse("causal\nlayers 2\nlayer == 0 -> local(left=2)\nelse -> full"))
    step = Step(queries=[1], lengths=[90])
    first, last = (step.pairs(layer)[0].sum(2) for layer in served.values())
    assert (first[0, 0], last[0, 0]) == (3, 90)


def test_a_rank_of_tensor_parallelism_has_some_of_the_heads():
    pattern, served = Pattern.parse("causal\nheads 8\nlocal(left=4 + head)"), model(1)
    apply(served, pattern, first_head=4, all_heads=8)
    own, _ = Step([1], [90]).pairs(served["0"])
    assert own.sum(2)[:, 0].tolist() == [9, 10, 11, 12]
    with pytest.raises(ValueError, match="first_head= and all_heads=8"):
        apply(model(1), pattern)


def test_the_mask_compiles_as_part_of_flex_attention():
    from torch.nn.attention.flex_attention import create_block_mask

    served = model(1)
    apply(served, Pattern.parse("causal\nheads 4\nlocal(left=4 + 20 * head)"))
    held = create_block_mask(served["0"].logical_mask_mod, 1, 4, 64, 64, device="cpu")
    assert held.shape == (1, 4, 64, 64)


def test_a_window_of_the_model_may_hold_the_pattern():
    apply(model(window=32), Pattern.parse("causal\nlocal(left=31)"))
    with pytest.raises(ValueError, match="a sliding window of 32 keys, and"):
        apply(model(window=32), Pattern.parse("causal\nlocal(left=32)"))


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("causal with alibi", {}, "`alibi` changes scores"),
        ("causal & same(doc)", {}, "tables"),
        ("local(3)", {}, "rows see later tokens"),
        ("causal\nwhere(j >= n - 4)", {}, "asks for n"),
        ("causal + full on memory(4)", {}, "keys of `memory`"),
        ("causal\nmix(local(left=3), full)", {}, "more than once"),
        ("causal\nheads 8\nlocal(left=head)", {}, "has 4 heads, the pattern 8"),
        ("causal\nlayers 1\nfull", {}, "is layer 1; the pattern has 1 layers"),
        ("causal", {"impl": FlashAttentionImpl}, "runs on FlashAttentionImpl"),
        ("causal", {"attn_type": "encoder_only"}, "masks are those of decoders"),
        ("causal", {"layers": 0}, "no attention layer"),
    ],
)
def test_what_cannot_be_honoured_is_refused_and_nothing_is_changed(text, options, said):
    served = model(**options)
    pattern = Pattern.parse(text)
    with pytest.raises(ValueError, match=said):
        apply(served, pattern)
    assert not any(hasattr(layer, "logical_mask_mod") for layer in served.values())
