"""Records which tokens window attentions of released code see: `masks/timm_*`, `masks/hf_sam_*` ...

    python tests/oracles/record_windows.py

To be run in an environment of its own, with torch 2.13.0, timm 1.0.31 and transformers 5.23.0. Does
not use patternc. A token is one-hot, queries and keys are 0 and values the tokens, so the output of
an attention is its rows of weights. Files hold the pairs with weight.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import timm
import torch
import transformers
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "masks"
TIMM, HF = ("timm", timm.__version__), ("transformers", transformers.__version__)


def see_values(qkv: nn.Linear, dim: int) -> None:
    """Queries and keys are 0, values what comes in."""
    with torch.no_grad():
        qkv.weight.copy_(torch.cat([torch.zeros(2 * dim, dim), torch.eye(dim)]))
        qkv.bias.zero_()


def transparent(attention: nn.Module, dim: int) -> None:
    """No bias of positions, no product on the way out."""
    see_values(attention.qkv, dim)
    attention.proj = nn.Identity()
    for name, parameter in attention.named_parameters():
        if "rel_pos" in name or "relative_position" in name:
            nn.init.zeros_(parameter)


def tokens(height: int, width: int) -> Tensor:
    """[1, H, W, H W], one-hot."""
    return torch.eye(height * width).reshape(1, height, width, height * width)


def swin(height: int, width: int, window: int, shift: int) -> Tensor:
    from timm.models.swin_transformer import SwinTransformerBlock

    dim = height * width
    block = SwinTransformerBlock(
        dim, (height, width), num_heads=1, head_dim=dim, window_size=window, shift_size=shift
    )
    transparent(block.attn, dim)
    return block._attn(tokens(height, width)).reshape(dim, dim)


def maxvit(height: int, width: int, window: int, kind: str) -> Tensor:
    from timm.models.maxxvit import MaxxVitTransformerCfg, PartitionAttentionCl

    dim = height * width
    config = MaxxVitTransformerCfg(
        dim_head=dim, window_size=(window, window), grid_size=(window, window), rel_pos_type="bias"
    )
    layer = PartitionAttentionCl(dim, kind, config)
    transparent(layer.attn, dim)
    layer.attn.head_first = False
    return layer._partition_attn(tokens(height, width)).reshape(dim, dim)


def hiera(count: int, units: int) -> Tensor:
    from timm.models.hiera import MaskUnitAttention

    layer = MaskUnitAttention(count, count, heads=1, window_size=units, use_mask_unit_attn=True)
    transparent(layer, count)
    return layer(torch.eye(count)[None])[0]


def sam(height: int, width: int, window: int) -> Tensor:
    from transformers.models.sam.configuration_sam import SamVisionConfig
    from transformers.models.sam.modeling_sam import SamVisionLayer

    dim = height * width
    config = SamVisionConfig(hidden_size=dim, num_attention_heads=1, mlp_dim=1, image_size=32)
    config._attn_implementation = "eager"
    layer = SamVisionLayer(config, window_size=window)
    transparent(layer.attn, dim)
    parts, padded = layer.window_partition(tokens(height, width), window)
    seen, _ = layer.attn(parts)
    return layer.window_unpartition(seen, window, padded, (height, width)).reshape(dim, dim)


def qwen(height: int, width: int, frames: int) -> Tensor:
    """Columns are patches in their order, four of a merged one next to each other."""
    from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as package
    from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig

    dim = frames * height * width
    config = Qwen2_5_VLVisionConfig(
        depth=1, hidden_size=dim, num_heads=1, intermediate_size=4, out_hidden_size=4,
        window_size=112, fullatt_block_indexes=[], patch_size=14, spatial_merge_size=2,
    )  # fmt: skip
    config._attn_implementation = "eager"
    model = package.Qwen2_5_VisionTransformerPretrainedModel(config)
    attention = model.blocks[0].attn
    transparent(attention, dim)
    model.patch_embed.forward = lambda patches: patches
    model.blocks[0].norm1 = nn.Identity()
    found: list[Tensor] = []
    # The first argument, which some releases pass by name.
    attention.register_forward_hook(
        lambda _, given, named, seen: found.extend([(*given, *named.values())[0], seen]),
        with_kwargs=True,
    )
    model(torch.eye(dim), torch.tensor([[frames, height, width]]))
    arrived, seen = found
    order = arrived.argmax(-1)
    return torch.empty(dim, dim).index_copy(0, order, seen)


def record(name: str, source: tuple[str, str], cls: str, config: dict[str, int | str],
           weights: Tensor) -> None:  # fmt: skip
    mask = (weights.detach().numpy() > 1e-6)[None]  # masked scores are -100
    meta = {
        "name": name, "heads": 1, "Lq": mask.shape[1], "Lk": mask.shape[2], "package": source[0],
        "version": source[1], "cls": cls, "config": config, "how": "one-hot values",
    }  # fmt: skip
    np.savez_compressed(FOLDER / f"{name}.npz", mask=mask, meta=json.dumps(meta))


def main() -> None:
    for height, width, window, shift in [(8, 8, 4, 2), (7, 8, 4, 2), (9, 10, 4, 1), (8, 4, 4, 2)]:
        config = {"H": height, "W": width, "window_size": window, "shift": shift}
        name = f"timm_swin_{height}x{width}_w{window}_s{shift}"
        record(name, TIMM, "SwinTransformerBlock", config, swin(height, width, window, shift))
    for kind in ("block", "grid"):
        config = {"H": 8, "W": 12, "size": 4, "kind": kind}
        weights = maxvit(8, 12, 4, kind)
        record(f"timm_maxvit_{kind}_8x12_w4", TIMM, "PartitionAttentionCl", config, weights)
    config = {"n": 48, "window_size": 4}
    record("timm_hiera_n48_w4", TIMM, "MaskUnitAttention", config, hiera(48, 4))
    for height, width in [(8, 8), (7, 6)]:
        config = {"H": height, "W": width, "window_size": 4}
        name = f"hf_sam_{height}x{width}_w4"
        record(name, HF, "SamVisionLayer", config, sam(height, width, 4))
    for frames, height, width in [(1, 16, 16), (2, 10, 12)]:
        config = {"T": frames, "H": height, "W": width, "window": 4, "merge": 2}
        name = f"hf_qwen2_5_vl_{frames}x{height}x{width}"
        cls = "Qwen2_5_VisionTransformerPretrainedModel"
        record(name, HF, cls, config, qwen(height, width, frames))


if __name__ == "__main__":
    main()
