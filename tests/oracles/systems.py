"""Programs for the masks of systems of 2023 to 2026: the examples, with other numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from patternc.zoo import published
from tests.oracles.writers import Observed, Written, writes


def example(name: str, *changes: tuple[str, str], **parameters: int) -> str:
    """The text of an example with other values of its parameters, and with texts replaced."""
    text = re.sub(r"(?m)^#.*\n", "", published(name))
    for parameter, value in parameters.items():
        text, found = re.subn(rf"(?m)^(param {parameter} =) .*$", rf"\1 {value}", text)
        assert found == 1, parameter
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def grid(sizes: list[int], kernel: list[int], edge: str = ", edge=shift") -> str:
    """Windows of `kernel` positions; an even one reaches one further back."""
    left, right = [size // 2 for size in kernel], [(size - 1) // 2 for size in kernel]
    return f"neighborhood({sizes}, left={left}, right={right}{edge})"


# Language models.


@writes("hf_deepseek_v4_hca")
def deepseek_v4(observed: Observed) -> Written:
    """The support: a sink is no key."""
    window, rate = observed.config["sliding_window"], observed.config["rates"][1]
    text = example("deepseek_v4_hca", (" with sink", ""), window=window, rate=rate)
    return Written(text, tokens=observed.arrays["mask"].shape[1])


@writes("vllm_phi3_small")
def phi3_small(observed: Observed) -> Written:
    config = observed.config
    numbers = {"size": config["block"], "near": config["local_blocks"]}
    heads = ("heads 32", f"heads {config['heads']}")
    return Written(example("phi3_small", heads, stride=config["vert_stride"], **numbers))


@writes("hf_llama4")
def llama4(observed: Observed) -> Written:
    text = example("llama4", chunk=observed.config["attention_chunk_size"])
    return Written(text, observed.config["layer"])


@writes("hf_modernbert")
def modernbert(observed: Observed) -> Written:
    text = example("modernbert", window=observed.config["local_attention"])
    return Written(text, observed.config["layer"])


@writes("hymba")
def hymba(observed: Observed) -> Written:
    config = observed.config
    return Written(example("hymba", meta=config["meta"], window=config["window"]), layer=1)


@writes("sepllm")
def sepllm(observed: Observed) -> Written:
    config = observed.config
    text = example("sepllm", initial=config["initial"], window=config["window"])
    return Written(text, inputs={"separators": observed.arrays["separators"]})


@writes("trianglemix")
def trianglemix(observed: Observed) -> Written:
    config = observed.config
    numbers = {"initial": config["initial"], "near": config["local"], "last": config["last"]}
    return Written(example("trianglemix", **numbers), layer=16)


@writes("star_attention")
def star_attention(observed: Observed) -> Written:
    config = observed.config
    return Written(example("star_attention", size=config["size"], question=config["question"]))


@writes("samba")
def samba(observed: Observed) -> Written:
    width = ("local(left=2047)", f"local(left={observed.config['window'] - 1})")
    return Written(example("samba", width), layer=observed.config["layer"])


@writes("lookahead")
def lookahead(observed: Observed) -> Written:
    """The file has no rows of the text."""
    config = observed.config
    numbers = {"text": config["text"], "width": config["window"], "levels": config["ngram"] - 1}
    return Written(example("lookahead", **numbers))


@writes("titans_mac")
def titans(observed: Observed) -> Written:
    """Persistent tokens come first in the file, and in each program their source."""
    config = observed.config
    persistent = ("persistent(4)", f"persistent({config['persist_mem_len']})")
    text = example("titans", persistent, size=config["window_size"])
    return Written(text, tokens=observed.arrays["mask"].shape[1])


@writes("mlx_lm_rotating")
def rotating_cache(observed: Observed) -> Written:
    config = observed.config
    return Written(example("rotating_cache", size=config["max_size"], kept=config["keep"]))


@writes("hf_gemma3_images")
def image_spans(observed: Observed) -> Written:
    """`end` is behind the image of a token, and of a token of text behind itself."""
    config = observed.config
    end = np.arange(observed.arrays["mask"].shape[2]) + 1
    for begin, behind in config["images"]:
        end[begin:behind] = behind
    text = example("image_spans", ("i - j < 1024", f"i - j < {config['sliding_window']}"))
    return Written(text, config["layer"], inputs={"end": end})


# Images, video, proteins, time series.


@writes("attn_gym_sta2d")
def sliding_tile_2d(observed: Observed) -> Written:
    config = observed.config
    window = f"blocks({np.prod(config['tile'])}) {{ {tiles(config)} }}"
    text = example("sliding_tile_2d", (body("sliding_tile_2d"), window))
    if not config["text"]:
        return Written(text)
    behind = f"within(:-{config['text']}) {{ {window} }} + global([-{config['text']}:])"
    return Written(text.replace(window, behind))


@writes("attn_gym_sta3d")
def sliding_tile(observed: Observed) -> Written:
    config = observed.config
    window = re.search(r"neighborhood\(.*\)", published("sliding_tile"))
    assert window is not None
    numbers = {"text": config["text"], "tile": int(np.prod(config["tile"]))}
    return Written(example("sliding_tile", (window[0], tiles(config)), **numbers))


def tiles(config: dict[str, Any]) -> str:
    sizes = [size // tile for size, tile in zip(config["canvas"], config["tile"], strict=True)]
    kernel = [size // tile for size, tile in zip(config["kernel"], config["tile"], strict=True)]
    return grid(sizes, kernel)


def body(name: str) -> str:
    """The last line of an example."""
    return published(name).splitlines()[-1]


@writes("attn_gym_svg_spatial")
def svg_spatial(observed: Observed) -> Written:
    config = observed.config
    numbers = {name: config[name] for name in ("prompt", "frame", "rounding")}
    return Written(
        example("svg_spatial", first=config["frame"] if config["sink"] else 0, **numbers)
    )


@writes("attn_gym_svg_temporal")
def svg_temporal(observed: Observed) -> Written:
    numbers = {name: observed.config[name] for name in ("prompt", "frame", "frames")}
    return Written(example("svg_temporal", **numbers))


@writes("longlive")
def longlive(observed: Observed) -> Written:
    """The file has an entry for a frame."""
    config = observed.config
    numbers = {"block": config["block"], "kept": config["local"], "sinks": config["sink"]}
    return Written(example("longlive", ("blocks(880)", "blocks(1)"), **numbers))


@writes("self_forcing")
def self_forcing(observed: Observed) -> Written:
    """Without a window all frames up to the block's end; the first frame may be a block alone."""
    config = observed.config
    window = config["frames"] if config["local"] < 0 else config["local"]
    alone = (
        [("i // block * block", "(i - 1) // block * block + 1")] if "i2v" in observed.name else []
    )
    numbers = {"frame": config["frame"], "block": config["block"], "window": window}
    return Written(example("self_forcing", *alone, **numbers))


@writes("radial")
def radial(observed: Observed) -> Written:
    """Frames of 256 tokens have windows of 128 at once."""
    numbers = {"frame": observed.config["frame"], "sinks": int(observed.config["model"] == "wan")}
    levels = "gap < 4 and apart <= 1024 or gap < 8 and apart <= 512 or gap < 16 and apart <= 256"
    return Written(example("radial", (levels, "apart <= 128"), **numbers))


@writes("minference_a_shape")
def minference_a_shape(observed: Observed) -> Written:
    numbers = {"first": observed.config["vertical"], "near": observed.config["slash"]}
    return Written(example("minference_a_shape", **numbers))


@writes("minference_vertical_slash")
def minference_vertical_slash(observed: Observed) -> Written:
    """The files list the keys of each head."""
    vertical = np.zeros(observed.arrays["mask"].shape[::2], np.int64)
    np.put_along_axis(vertical, observed.arrays["verticals"], 1, 1)
    inputs = {"vertical": vertical[None], "slash": observed.arrays["slashes"][None]}
    heads = f"heads {observed.heads}\n"
    return Written(heads + example("minference_vertical_slash").lstrip(), inputs=inputs)


@writes("axial_attention")
def axial(observed: Observed) -> Written:
    return Written(example("axial", width=5))


@writes("diffusers_hunyuan_vae")
def video_causal(observed: Observed) -> Written:
    return Written(example("video_causal", frame=observed.config["frame"]))


@writes("diffusers_skyreels_v2")
def video_blocks(observed: Observed) -> Written:
    """The file has an entry for a frame."""
    return Written(example("video_blocks", frame=1, frames=observed.config["num_frame_per_block"]))


@writes("diffusers_ltx2")
def ltx2(observed: Observed) -> Written:
    window = grid(observed.config["grid"], observed.config["kernel"])
    return Written(example("ltx2", (body("ltx2"), window)))


@writes("diffusers_kandinsky5_sta")
def kandinsky(observed: Observed) -> Written:
    """The file has an entry for a tile; windows of an even size hold one more."""
    reach = [size // 2 for size in observed.config["window"]]
    window = f"neighborhood({observed.config['grid']}, radius={reach})"
    return Written(example("kandinsky", (body("kandinsky"), window)))


@writes("boltz_atoms")
def alphafold3_atoms(observed: Observed) -> Written:
    config = observed.config
    return Written(example("alphafold3_atoms", queries=config["W"], keys=config["H"]))


@writes("openfold3_atoms")
def openfold3_atoms(observed: Observed) -> Written:
    config = observed.config
    return Written(example("openfold3_atoms", queries=config["queries"], keys=config["keys"]))


@writes("uni2ts_packed")
def packed(observed: Observed) -> Written:
    """Rows of no sample see each other in the code."""
    return Written("same(sample)\n", inputs={"sample": np.array(observed.config["sample_id"])})


@writes("uni2ts_packed_causal")
def packed_series(observed: Observed) -> Written:
    config = observed.config
    inputs = {"sample": np.array(config["sample_id"]), "time": np.array(config["time_id"])}
    return Written(example("packed_series"), inputs=inputs)


@writes("hf_xlnet_permutation")
def xlnet(observed: Observed) -> Written:
    return Written(example("xlnet"), inputs={"rank": np.argsort(observed.config["order"])})
