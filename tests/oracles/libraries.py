"""Programs for the masks of mask libraries: attn_gym, NATTEN, xformers, DeepSpeed, OpenAI."""

from __future__ import annotations

import random

import numpy as np

from patternc.zoo import published
from tests.oracles.writers import Observed, Written, lines, writes


@writes("attn_gym_sliding_window")
def sliding_window(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['window_size']})"))


@writes("attn_gym_dilated")
def dilated_window(observed: Observed) -> Written:
    """The window counts tokens, our sides count taps."""
    window, dilation = observed.config["window_size"], observed.config["dilation"]
    return Written(lines(f"local({window // dilation}, dilation={dilation})"))


@writes("attn_gym_global_sliding")
def global_sliding(observed: Observed) -> Written:
    config = observed.config
    return Written(lines(f"local({config['window_size']}) + global({config['global_indices']})"))


@writes("attn_gym_prefix_lm")
def prefix_lm(observed: Observed) -> Written:
    return Written(lines(f"columns([0:{observed.config['prefix_length']}]) + causal"))


def documents(observed: Observed) -> np.ndarray:
    lengths = observed.config["doc_lengths"]
    return np.repeat(np.arange(len(lengths)), lengths)


@writes("attn_gym_document_sliding")
def packed_window(observed: Observed) -> Written:
    text = lines("causal", f"same(document) & local(left={observed.config['window_size']})")
    return Written(text, inputs={"document": documents(observed)})


@writes("attn_gym_document_prefix")
def packed_prefix_lm(observed: Observed) -> Written:
    starts = np.cumsum([0, *observed.config["doc_lengths"][:-1]])
    document = documents(observed)
    prefix = np.arange(len(document)) - starts[document] < observed.config["prefix_length"]
    text = lines("same(document) & (causal + columns(prefix))")
    return Written(text, inputs={"document": document, "prefix": prefix})


@writes("attn_gym_shared_prefix")
def shared_prefix(observed: Observed) -> Written:
    """A story is a prefix document with its continuations."""
    document = documents(observed)
    prefix_of = np.array(observed.config["prefix_document_id"])
    prefix = prefix_of[document] == document
    inputs = {"document": document, "story": prefix_of[document], "prefix": prefix}
    return Written(published("shared_prefix"), inputs=inputs)


@writes("attn_gym_natten_c")
def clamped_neighborhood(observed: Observed) -> Written:
    """An even kernel has one tap more, a kernel wider than the canvas sees all of it."""
    config = observed.config
    grid = [config["canvas_h"], config["canvas_w"]]
    radius = [config["kernel_h"] // 2, config["kernel_w"] // 2]
    if any(2 * side + 1 > size for side, size in zip(radius, grid, strict=True)):
        return Written(lines("full"))
    return Written(lines(f"neighborhood({grid}, radius={radius}, edge=shift)"))


@writes("attn_gym_natten_morton")
def morton_neighborhood(observed: Observed) -> Written:
    """The bits of a position are those of its column and row in turn."""
    column = "{x} % 2 + {x} // 4 % 2 * 2 + {x} // 16 % 2 * 4"
    row = "{x} // 2 % 2 + {x} // 8 % 2 * 2 + {x} // 32 % 2 * 4"
    return neighborhood_in_another_order(row, column)


@writes("attn_gym_natten_tiled")
def tiled_neighborhood(observed: Observed) -> Written:
    """Tiles 2 wide and 4 high stand one after the other, four in a row of tiles."""
    column = "{x} // 8 % 4 * 2 + {x} % 2"
    row = "{x} // 32 * 4 + {x} % 8 // 2"
    return neighborhood_in_another_order(row, column)


def neighborhood_in_another_order(row: str, column: str) -> Written:
    """A window of 3 x 3 on a grid of 8 x 8, shifted at the edges."""
    axes = [
        f"abs(min(max({axis.format(x='i')}, 1), 6) - ({axis.format(x='j')})) <= 1"
        for axis in (row, column)
    ]
    return Written(lines(f"where({' and '.join(axes)})"))


@writes("natten_1d")
def natten_line(observed: Observed) -> Written:
    config = observed.config
    return natten([config["n"]], [config["kernel_size"]], [config["dilation"]],
                  [config["is_causal"]])  # fmt: skip


@writes("natten_2d")
def natten_plane(observed: Observed) -> Written:
    config = observed.config
    grid = [config["height"], config["width"]]
    return natten(grid, config["kernel_size"], config["dilation"], config["is_causal"])


def natten(grid: list[int], kernel: list[int], dilation: list[int], causal: list[bool]) -> Written:
    """A causal axis sees the last `kernel` members of its class."""
    causal_axes = [axis for axis, looks_back in enumerate(causal) if looks_back]
    left = [k - 1 if back else k // 2 for k, back in zip(kernel, causal, strict=True)]
    right = [0 if back else k // 2 for k, back in zip(kernel, causal, strict=True)]
    sides = f"left={left}, right={right}, dilation={dilation}, edge=shift"
    backwards = f", causal={causal_axes}" if causal_axes else ""
    return Written(lines(f"neighborhood({grid}, {sides}{backwards})"))


@writes("xformers_local1d")
def line_window(observed: Observed) -> Written:
    return Written(lines(f"local({observed.config['window_size'] // 2})"))


@writes("xformers_global")
def global_rows_and_columns(observed: Observed) -> Written:
    return Written(lines(f"global({observed.config['global_indices']})"))


@writes("xformers_axial2d")
def axial_plane(observed: Observed) -> Written:
    width = observed.config["W"]
    return Written(lines(f"segment({width}) + strided({width})"))


@writes("xformers_axial3d")
def axial_volume(observed: Observed) -> Written:
    _, height, width = observed.config["sizes"]
    plane = height * width
    return Written(
        lines(f"segment({width}) + segment({plane}) & strided({width}) + strided({plane})")
    )


@writes("xformers_dilated2d")
def dilated_plane(observed: Observed) -> Written:
    width, step = observed.config["W"], observed.config["k"]
    rows = f"(i // {width} - j // {width}) % {step} == 0"
    columns = f"(i % {width} - j % {width}) % {step} == 0"
    return Written(lines(f"where({rows} and {columns})"))


@writes("xformers_alibi")
def alibi_columns(observed: Observed) -> Written:
    """Head h of 4 has the slope 2 ** (-2 * (h + 1)) and sees j with slope * j < threshold."""
    threshold = int(observed.config["threshold"])
    assert observed.heads == 4
    return Written(lines("heads 4", f"columns([0 : {threshold} * 4 ** (head + 1)])"))


@writes("openai_bst_local")
def openai_local(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['local_attn_ctx'] - 1})"))


@writes("openai_bst_fixed")
def openai_fixed(observed: Observed) -> Written:
    """Summary blocks are counted from the end of a window."""
    config = observed.config
    window, group = config["local_attn_ctx"], config["blocksize"] * config["vertsize"]
    start = f"{window} - (head % {config['num_verts']} + 1) * {group}"
    summary = f"columns(period({window}, {start} : {start} + {group}))"
    return Written(
        lines("causal", f"heads {config['heads']}", f"segment({window}) + {summary}"),
    )


# DeepSpeed's block layouts; xformers copies them with defaults.


def blocks(observed: Observed, body: str, **inputs: np.ndarray) -> Written:
    size = observed.meta["block"]
    return Written(lines(f"blocks({size}) {{ {body} }}"), inputs=inputs, block=size)


@writes("deepspeed_localsliding")
def local_sliding_blocks(observed: Observed) -> Written:
    side = observed.config["num_sliding_window_blocks"] // 2
    both = observed.config.get("attention") == "bidirectional"
    return blocks(observed, f"local({side})" if both else f"local(left={side})")


@writes("deepspeed_bslongformer", "xformers_bslongformer")
def longformer_blocks(observed: Observed) -> Written:
    config = observed.config
    side = config.get("num_sliding_window_blocks", 3) // 2
    starts = config.get("global_block_indices", [0])
    stops = config.get("global_block_end_indices", [start + 1 for start in starts])
    chosen = ", ".join(f"{a}:{b}" for a, b in zip(starts, stops, strict=True))
    return blocks(observed, f"local({side}) + global([{chosen}])")


@writes("deepspeed_bigbird", "xformers_bigbird")
def bigbird_blocks(observed: Observed) -> Written:
    """The random columns are drawn anew as the library draws them, by Python's own generator."""
    config = observed.config
    side = config.get("num_sliding_window_blocks", 3) // 2
    sizes = f"local({side}) + global([0:{config.get('num_global_blocks', 1)}])"
    count = config.get("num_random_blocks", 1)
    causal = config.get("attention") == "unidirectional"
    body = f"({sizes} + listed(plan)) & causal" if causal else f"{sizes} + listed(plan)"
    if not count:
        return blocks(observed, sizes)
    rows = config["seq_len"] // observed.meta["block"]
    generator = random.Random(config["random_seed"])
    plan = [generator.sample(range(row + 1 if causal else rows), count) for row in range(rows)]
    return blocks(observed, body, plan=np.array(plan))


@writes("deepspeed_fixed", "xformers_fixed")
def fixed_blocks(observed: Observed) -> Written:
    """Global columns end each window; a short last window has them at its own end.

    In one direction rows see them from the first one on, which reaches above the diagonal where
    there are several.
    """
    config = observed.config
    window, count = config.get("num_local_blocks", 4), config.get("num_global_blocks", 1)
    rows = config["seq_len"] // observed.meta["block"]
    kind = "global" if config.get("horizontal_global_attention") else "columns"
    summary = f"{kind}(period({window}, {window - count}:{window}))"
    if rows % window:
        summary = f"{summary} + {kind}([-{count}:])"
    if config["attention"] == "bidirectional":
        return blocks(observed, f"segment({window}) + {summary}")
    return blocks(
        observed, f"segment({window}) & causal + ({summary}) & where(i >= j - j % {count})"
    )


@writes("deepspeed_variable", "xformers_variable")
def variable_blocks(observed: Observed) -> Written:
    """Windows of given sizes, the last size repeated; global columns seen from their start on."""
    config = observed.config
    causal = config.get("attention", "bidirectional") == "unidirectional"
    kind = "global" if config.get("horizontal_global_attention") else "columns"
    starts = config.get("global_block_indices", [0])
    stops = config.get("global_block_end_indices", [start + 1 for start in starts])
    windows = variable_windows(config.get("local_window_blocks", [4]))
    terms = [f"{windows} & causal" if causal else windows]
    for start, stop in zip(starts, stops, strict=True):
        since = f" & where(i >= {start})" if causal else ""
        terms.append(f"{kind}([{start}:{stop}]){since}")
    return blocks(observed, " + ".join(terms))


def variable_windows(sizes: list[int]) -> str:
    *single, last = sizes
    if not single:
        return f"segment({last})"
    parts, start = [], 0
    for size in single:
        stop = start + size
        parts.append(f"{start} <= i < {stop} and {start} <= j < {stop}")
        start = stop
    parts.append(
        f"i >= {start} and j >= {start} and (i - {start}) // {last} == (j - {start}) // {last}"
    )
    return f"where({' or '.join(parts)})"
