"""Programs for windows of a grid: Swin, MaxViT, Hiera, SAM, CrossFormer, Qwen2.5-VL."""

from __future__ import annotations

from tests.oracles.writers import Observed, Written, lines, writes


@writes("hf_swin")
def swin_padded_first(observed: Observed) -> Written:
    """No axis is shifted if one of them is a single window."""
    config = observed.config
    return swin(observed, config["shift"] * (min(config["H"], config["W"]) > config["window_size"]))


@writes("timm_swin")
def swin_rolled_first(observed: Observed) -> Written:
    """Each axis is shifted that is longer than a window."""
    return swin(observed, observed.config["shift"], "roll")


def swin(observed: Observed, shift: int, edge: str = "clip") -> Written:
    grid, window = [observed.config["H"], observed.config["W"]], observed.config["window_size"]
    shifts = [shift if size > window else 0 for size in grid]
    sizes = f"size={[window, window]}, shift={shifts}"
    return Written(lines(f"windows({grid}, {sizes}, edge={edge})"))


@writes("timm_maxvit")
def maxvit(observed: Observed) -> Written:
    """The size of a grid is the number of its positions on an axis."""
    grid, size = [observed.config["H"], observed.config["W"]], observed.config["size"]
    steps = [axis // size for axis in grid] if observed.config["kind"] == "grid" else [1, 1]
    return Written(lines(f"windows({grid}, size={[size, size]}, dilation={steps})"))


@writes("vit_pytorch_crossformer")
def crossformer(observed: Observed) -> Written:
    """Long distance: as many positions on an axis as a window has, far apart."""
    kind, size = observed.config["attn_type"], observed.config["window_size"]
    steps = [2, 3] if kind == "long" else [1, 1]
    return Written(lines(f"windows([8, 12], size={[size, size]}, dilation={steps})"))


@writes("timm_hiera")
def hiera(observed: Observed) -> Written:
    """Tokens of one unit are far apart in the order of the released code."""
    units = observed.config["n"] // observed.config["window_size"]
    return Written(lines(f"strided({units})"))


@writes("hf_sam")
def sam(observed: Observed) -> Written:
    grid, window = [observed.config["H"], observed.config["W"]], observed.config["window_size"]
    return Written(lines(f"windows({grid}, size={[window, window]})"))


@writes("hf_qwen2_5_vl")
def qwen_vision(observed: Observed) -> Written:
    """Four patches that are merged later are neighbours; windows count merged ones."""
    config = observed.config
    grid = [config["T"], config["H"] // 2, config["W"] // 2]
    return Written(lines(f"blocks(4) {{ windows({grid}, size=[1, 4, 4]) }}"))
