"""Masks of examples against the definitions of the code they name, written out pair by pair."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from patternc import Pattern
from patternc.zoo import published


def pairs(n: int, seen: Callable[[int, int], bool]) -> np.ndarray:
    return np.array([[seen(i, j) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("blocks", [1, 4, 7])
def test_block_diffusion_has_three_parts(blocks):
    """As attention-gym and BD3-LM write it: diagonal, strictly before, and up to itself."""
    half = 16 * blocks

    def seen(i, j):
        noised, key_noised = i < half, j < half
        block, key_block = i % half // 16, j % half // 16
        own = block == key_block and noised == key_noised
        before = block > key_block and noised and not key_noised
        return own or before or (block >= key_block and not noised and not key_noised)

    assert (Pattern.from_zoo("block_diffusion").mask(2 * half)[0] == pairs(2 * half, seen)).all()


def test_shifted_groups_are_those_of_the_rolled_sequence_without_its_wrapped_group():
    n, group = 8192, 2048
    masks = Pattern.from_zoo("longlora").mask(n, queries=64)
    rows, keys = np.arange(n - 64, n)[:, None], np.arange(n)
    rolled, rolled_keys = (rows - group // 2) % n, (keys - group // 2) % n
    wrapped = (rows < group // 2) != (keys < group // 2)
    shifted = (rolled // group == rolled_keys // group) & ~wrapped & (keys <= rows)
    plain = (rows // group == keys // group) & (keys <= rows)
    for head in range(32):
        assert (masks[head] == (plain if head < 16 else shifted)).all()


def test_a_drafted_token_sees_the_text_and_its_ancestors():
    parents = [-1, 0, 1, 1, 3, 3, 0]
    text, nodes = 5, len(parents)
    paths = []
    for node in range(nodes):
        path, at = [], node
        while at >= 0:
            path.append(text + at)
            at = parents[at]
        paths.append(path + [-1] * (nodes - len(path)))
    rows = [[-1] * nodes] * text + paths
    pattern = Pattern.from_zoo("tree_decoding", text=text)
    mask = pattern.mask(text + nodes, queries=nodes, ancestors=np.array(rows))[0]
    wanted = [[j < text or j in path for j in range(text + nodes)] for path in paths]
    assert (mask == np.array(wanted)).all()


def test_a_token_of_a_prefix_tree_sees_its_ancestors_and_padding_nothing():
    parents, tout = [-1, 0, 1, 0, 3, 3, 0], [7, 3, 3, 6, 5, 6, 7, 0]
    mask = Pattern.from_zoo("prefix_tree").mask(8, tin=np.arange(8), tout=np.array(tout))[0]
    wanted = np.zeros((8, 8), dtype=bool)
    for token, parent in enumerate(parents):
        wanted[token] = wanted[parent] if parent >= 0 else False
        wanted[token, token] = True
    wanted[7] = mask[7]  # a row of padding is nobody's
    assert (mask == wanted).all()
    assert not mask[:, 7].any()


def test_each_head_has_the_pattern_that_the_call_says():
    """`minference`: the A-shape, lines, or blocks, by the kind of the head."""
    n, heads, generator = 160, 4, np.random.default_rng(0)
    kind = np.repeat([[0], [1], [2], [0]], n, 1)
    vertical = (generator.random((heads, n)) < 0.05).astype(int)
    found = generator.integers(-1, 3, (heads, n, 2))
    slash = np.repeat([[0, 3, 77]], heads, 0)
    given = {"kind": kind, "vertical": vertical, "slash": slash, "found": found}
    given = {name: value[None] for name, value in given.items()}
    mask = Pattern.from_zoo("minference").mask(n, **given)
    i, j = np.arange(n)[:, None], np.arange(n)
    for head in range(heads):
        a_shape = (j < 128) | (i - j < 4096)
        lines = (vertical[head] == 1) | np.isin(i - j, slash[head])
        blocks = (j[None, :, None] // 64 == found[head][:, None]).any(-1)
        wanted = (a_shape, lines, blocks)[kind[head, 0]] & (j <= i)
        assert (mask[head] == wanted).all()


def test_chunks_of_packed_documents_are_those_of_each_document_alone():
    lengths = [7, 3, 10]
    document = np.repeat(np.arange(3), lengths)
    position = np.concatenate([np.arange(length) for length in lengths])
    pattern = Pattern.from_zoo("document_blocks", size=4)
    mask = pattern.mask(20, document=document, pos=position)[0]
    alone = Pattern.parse("causal & segment(4)")
    wanted = np.zeros((20, 20), dtype=bool)
    for length, stop in zip(lengths, np.cumsum(lengths), strict=True):
        wanted[stop - length : stop, stop - length : stop] = alone.mask(length)[0]
    assert (mask == wanted).all()


def test_a_drafted_block_sees_the_text_before_its_anchor_and_itself():
    anchors, size, text = [3, 9, 4], 4, 10
    anchor = np.concatenate([np.arange(text) + 1, np.repeat(anchors, size)])
    draft = np.concatenate([np.full(text, -1), np.repeat(np.arange(3), size)])

    def seen(i, j):
        if i < text:
            return j <= i
        return (j < anchor[i] and j < text) or (j >= text and draft[i] == draft[j])

    mask = Pattern.from_zoo("draft_anchors").mask(22, anchor=anchor, draft=draft)[0]
    assert (mask == pairs(22, seen)).all()


def test_tokens_of_an_image_see_all_of_it_within_the_window():
    n, image = 2100, np.full(2100, -1)
    image[3:9], image[1000:1300] = 0, 1
    last = {number: np.flatnonzero(image == number)[-1] + 1 for number in (0, 1)}
    end = np.array([last.get(number, i + 1) for i, number in enumerate(image)])
    i, j = np.arange(n)[:, None], np.arange(n)
    wanted = (j <= i) | ((image[:, None] == image) & (image >= 0))
    pattern = Pattern.from_zoo("image_spans")
    assert (pattern.mask(n, layer=5, end=end)[0] == wanted).all()
    assert (pattern.mask(n, layer=0, end=end)[0] == (wanted & (i - j < 1024))).all()


def test_a_sequence_padded_on_the_left_is_as_alone():
    real = 40
    pos = np.concatenate([np.full(9, -1), np.arange(real)])
    mask = Pattern.from_zoo("left_padded").mask(9 + real, pos=pos)[0]
    assert (mask[9:, 9:] == np.tri(real, dtype=bool)).all()
    assert mask.sum() == np.tri(real).sum()


def test_a_map_of_tokens_sees_itself_and_the_coarser_ones():
    step = np.repeat(np.arange(4), [1, 4, 9, 16])
    mask = Pattern.from_zoo("next_scale").mask(30, step=step)[0]
    assert (mask == (step[:, None] >= step)).all()


def test_distances_of_logsparse_are_the_powers_of_two():
    n = 300
    distance = np.arange(n)[:, None] - np.arange(n)
    wanted = (distance == 0) | np.isin(distance, 2 ** np.arange(12))
    assert (Pattern.from_zoo("logsparse").mask(n)[0] == wanted).all()


def test_a_sink_is_seen_for_ever_and_other_tokens_as_long_as_the_window_is():
    n = 1500
    mask = Pattern.from_zoo("streaming_llm").mask(n)[0]
    i, j = np.arange(n)[:, None], np.arange(n)
    assert (mask == ((j <= i) & ((j < 4) | (i - j < 1020)))).all()


def test_a_slot_of_a_causal_pool_is_seen_from_the_block_after_it():
    n, radius, block = 300, 127, 16
    mask = Pattern.from_zoo("longt5_causal").mask(n)[0]
    i, j, slot = np.arange(n)[:, None], np.arange(n), np.arange(n // block)
    local = (j <= i) & (i - j <= radius)
    assert (mask == np.hstack([local, slot < i // block])).all()


def test_star_attention_is_both_phases_of_the_released_model():
    """Blocks are encoded behind the first one, whose keys are then dropped; a question sees all."""
    size, question, n = 6, 4, 27
    context = n - question
    wanted = np.zeros((n, n), dtype=bool)
    for begin in range(0, context, size):
        block = list(range(begin, min(begin + size, context)))
        encoded = block if begin == 0 else [*range(size), *block]
        for at, i in enumerate(encoded):
            if i in block:
                wanted[i, encoded[: at + 1]] = True
    for i in range(context, n):
        wanted[i, : i + 1] = True
    pattern = Pattern.from_zoo("star_attention", size=size, question=question)
    assert (pattern.mask(n)[0] == wanted).all()


def test_layers_of_samba_without_attention_hold_nothing():
    """`use_mamba` where layer_idx % mb_per_layer == 0, else window_size (local_window - 1, 0)."""
    pattern, n = Pattern.from_zoo("samba"), 2100
    i, j = np.arange(n)[:, None], np.arange(n)
    assert not pattern.mask(n, layer=2)[0].any()
    assert (pattern.mask(n, layer=3)[0] == ((j <= i) & (i - j <= 2047))).all()


def test_a_block_of_power_attention_sees_blocks_at_powers_of_two_and_d_layers_two_to_the_d():
    n = 1000
    i, j = np.arange(n)[:, None], np.arange(n)
    distance = i // 128 - j // 128
    wanted = (j <= i) & ((distance == 0) | np.isin(distance, 2 ** np.arange(9)) | (j < 128))
    pattern = Pattern.from_zoo("power_attention")
    assert (pattern.mask(n)[0] == wanted).all()
    fields = Pattern.parse("causal\nblocks(4) { diagonal + offsets(powers(2)) }").reach(1024, 8)
    assert [layer.left_max // 4 for layer in fields.layers][-1] == 255


def test_a_decoded_block_sees_itself_and_every_block_before():
    assert (
        Pattern.from_zoo("block_diffusion_decoding").mask(100)[0]
        == pairs(100, lambda i, j: j // 32 <= i // 32)
    ).all()


def test_duo_attention_has_full_heads_and_streaming_heads():
    n, sinks, recent = 700, 128, 256
    pattern = Pattern.from_zoo("duo_attention", retrieval=5)
    ones = np.ones((n, n), np.bool_)
    sink = ones.copy()
    sink[:, sinks:] = False
    streaming = (np.triu(ones, 1 - recent) | sink) & np.tril(ones)
    mask = pattern.mask(n)
    assert (mask[:5] == np.tril(ones)).all()
    assert (mask[5:] == streaming).all()


def test_mixture_of_depths_is_causal_attention_of_the_routed_tokens_alone():
    pattern, n = Pattern.from_zoo("mixture_of_depths"), 40
    routed = np.random.default_rng(3).random((2, n)) < 0.3
    mask = pattern.mask(n, layer=1, routed=routed)
    for element, chosen in enumerate(routed):
        inside = mask[element, 0][np.ix_(chosen, chosen)]
        assert (inside == np.tri(chosen.sum(), dtype=bool)).all()
        assert mask[element].sum() == inside.sum()
    assert (pattern.mask(n)[0] == np.tri(n, dtype=bool)).all()


def test_copies_of_the_frames_behind_a_segment_see_what_the_segment_sees():
    """Against torchaudio's mask, whose copies come first: rows of the frames and of the copies."""
    folder = Path(__file__).parent / "oracles" / "masks"
    recorded = np.load(folder / "torchaudio_emformer_streams_s4_l3_r2_n14.npz")["mask"][0]
    order = [*range(8, 22), *range(8)]
    pattern = Pattern.from_zoo("emformer", segments=4, size=4, left=3, right=2)
    assert (pattern.mask(14)[0] == recorded[8:, order]).all()
    assert (pattern.mask(14, rows="ahead")[0] == recorded[:8, order]).all()


def test_radial_bands_are_those_of_the_released_code():
    """`get_window_width` of HunyuanVideo with frames of 8 tokens and widths from 4 to 2."""
    size, count = 8, 9

    def seen(i, j):
        apart = abs(i // size - j // size)
        width = max(2 ** size.bit_length() / 2 ** apart.bit_length(), 2) if apart > 1 else size
        return j < size or abs(i % size - j % size) <= width

    text = published("radial").replace("3600", "8")
    for wide, narrow in [("1024", "4"), ("512", "2"), ("256", "2"), ("128", "2")]:
        text = text.replace(f"<= {wide}", f"<= {narrow}")
    assert (Pattern.parse(text).mask(size * count)[0] == pairs(size * count, seen)).all()
