"""Examples as tests take them: one that holds a grid has one length, often a long one."""

from __future__ import annotations

from patternc import Pattern

# The same with smaller tiles, frames and texts.
SMALLER = {
    "emformer": {"segments": 3},
    "kandinsky": {"tile": 2},
    "natten_2d": {"side": 26},
    "natten_2d_causal": {"side": 16},
    "radial": {"frame": 20},
    "sliding_tile": {"tile": 2, "text": 8},
    "sliding_tile_2d": {"tile": 4},
    "svg_temporal": {"prompt": 10, "frame": 12, "frames": 3},
}
# Layers that a rule leaves to something else.
WITHOUT_ATTENTION = {"samba": {0}}
# Another example has tiles and kernels of the same kind, or only the numbers are new.
ALIKE = {
    "alphafold3_atoms",
    "axial",
    "block_diffusion_decoding",
    "crossformer",
    "document_blocks",
    "dynamic_chunks",
    "fastconformer",
    "gemma",
    "gpt_neo",
    "gtrxl",
    "hiera",
    "hymba",
    "kandinsky",
    "llama4",
    "longformer_large",
    "longformer_questions",
    "longnet_torchscale",
    "ltx2",
    "maxvit",
    "mimi",
    "minference",
    "minference_a_shape",
    "modernbert",
    "natten_2d_causal",
    "openfold3_atoms",
    "phi3_small",
    "power_attention",
    "qwen_vision",
    "radial",
    "rotating_cache",
    "sam",
    "samba",
    "self_forcing",
    "sepllm",
    "shared_prefix",
    "sliding_tile_2d",
    "star_attention",
    "svg_spatial",
    "svg_temporal",
    "titans",
    "trianglemix",
    "video_blocks",
    "video_causal",
    "xlnet",
}


def smaller(name: str) -> Pattern:
    """An example whose masks are small enough to look at every pair."""
    return Pattern.from_zoo(name, **SMALLER.get(name, {}))
