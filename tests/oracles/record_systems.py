"""Records masks and outputs of systems of 2023 to 2025 in their authors' code.

    python tests/oracles/record_systems.py FOLDER

To be run in an environment of its own, with torch 2.13.0 and triton 3.7.1. Does not use patternc.
The folder holds checkouts, of which single files are read, without imports not needed here:

    Star-Attention          NVIDIA/Star-Attention at c61059f5cbf5
    Samba                   microsoft/Samba at ed3ed5424dbb
    forgetting-transformer  zhixuan-lin/forgetting-transformer at 883f260c636e
    unilm                   microsoft/unilm at 3aca927fa14b, its Diff-Transformer
    nemo_toolkit            nemo_toolkit 2.5.0, unpacked

`masks/star_attention_*`, `masks/samba_*` and `masks/nemo_*` are observed by one-hot values, or by
stand-ins for the model or kernel that note what they are asked for. `outputs/forgetting.npz` and
`outputs/differential.npz` hold inputs, output, a `weight` and the gradients of (output *
weight).sum(); the kernels of the Forgetting Transformer run in Triton's interpreter, in float32.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import math
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TRITON_INTERPRET"] = "1"

import numpy as np
import torch
from torch import Tensor, nn

HERE, CHECKOUTS = Path(__file__).parent, Path(sys.argv[1])
Kept = ast.ClassDef | ast.FunctionDef | ast.Assign


def definitions(path: str, *names: str, **given: Any) -> types.SimpleNamespace:
    """Classes, functions and constants of a file, all or those named, with what they ask for."""
    tree = ast.parse((CHECKOUTS / path).read_text(encoding="utf-8"))
    held = [node for node in tree.body if isinstance(node, Kept)]
    if names:
        held = [node for node in held if getattr(node, "name", "") in names]
    space: dict[str, Any] = {"torch": torch, "nn": nn, "math": math, **given}
    future = ast.parse("from __future__ import annotations").body
    exec(compile(ast.Module([*future, *held], []), path, "exec"), space)
    return types.SimpleNamespace(**space)


def save(name: str, rows: Tensor, source: tuple[str, str], **facts: Any) -> None:
    """The pairs with weight; the weights too where they are not uniform."""
    rows = rows if rows.dim() == 3 else rows[None]
    mask, share = rows > 0, rows / rows.amax(-1, keepdim=True)
    arrays: dict[str, Any] = {"mask": mask.numpy()}
    if not torch.allclose(share, mask.to(share.dtype), atol=1e-3):
        arrays["weights"] = (rows / rows.sum(-1, keepdim=True)).float().numpy()
    shape = {"heads": len(mask), "Lq": mask.shape[1], "Lk": mask.shape[2]}
    meta = {"name": name, **shape, "package": source[0], "version": source[1], **facts}
    np.savez_compressed(HERE / "masks" / f"{name}.npz", meta=json.dumps(meta), **arrays)


def star(block: int, context: int, question: int) -> None:
    """Phase 1 on a stand-in of the causal model whose keys are the numbers of their tokens."""
    source = "Star-Attention/model.py"
    typing = {"Tuple": tuple, "List": list, "Dict": dict, "Optional": Any}
    base = {"DistributedInferenceBaseModel": object, **typing}
    star_model = definitions(source, "StarAttentionModel", **base).StarAttentionModel
    total = context + question
    rows = torch.zeros(total, total)

    def model(ids: Tensor, **_: Any) -> types.SimpleNamespace:
        for row in range(ids.shape[1]):
            rows[ids[0, row]] = 0
            rows[ids[0, row], ids[0, : row + 1]] = 1
        keys = ids[:, None, :, None]
        return types.SimpleNamespace(past_key_values=[[keys, keys]])

    made = star_model.__new__(star_model)
    made.block_size, made.anchor_block_size, made.rank, made.world_size = block, None, 0, 1
    model.device = torch.device("cpu")  # type: ignore[attr-defined]
    made.model, made._tokenize = model, lambda text: torch.arange(len(text))[None]
    ids, places, _ = made._tokenize_and_partition_context("." * context)
    assert ids.shape[1] == context, "padding is another program"
    blocks = (torch.stack(part.split(block, dim=-1)) for part in (ids, places))
    [[keys, _]] = made._process_blockwise_context(*(torch.tensor_split(x, 1) for x in blocks))
    # Phase 2: the question sees all that is kept, and itself up to each token.
    rows[context:, keys.flatten()] = 1
    rows[context:, context:] = torch.ones(question, question).tril()
    save(
        f"star_attention_n{total}_b{block}_q{question}",
        rows,
        ("NVIDIA/Star-Attention", "c61059f5cbf5"),
        cls="StarAttentionModel",
        config={"size": block, "question": question},
        description="rows of blocks by a stand-in of the model",
    )


class OnGpu(Tensor):
    """A tensor that says it is on a GPU, where the code calls flash-attn."""

    device = torch.device("cuda")


def samba(n: int, window: int, layer: int) -> None:
    """What `flash_attn_func` is asked for: keys i - left .. i + right, by its documentation."""
    asked = {}

    def flash_attn_func(*_: Tensor, causal: bool, window_size: tuple[int, int], **__: Any) -> None:
        asked.update(causal=causal, window=window_size)

    sys.modules["flash_attn"] = types.ModuleType("flash_attn")
    sys.modules["flash_attn"].flash_attn_func = flash_attn_func  # type: ignore[attr-defined]
    made = definitions(
        "Samba/lit_gpt/model.py", "CausalSelfAttention", FlashAttention2Available=True
    ).CausalSelfAttention
    config = types.SimpleNamespace(full_per_layer=1_000_000, local_window=window, head_size=8)
    module = made.__new__(made)
    nn.Module.__init__(module)
    module.local = layer % config.full_per_layer < config.full_per_layer - 1
    module.config, module.head_size = config, 8
    q = torch.zeros(1, n, 1, 8, dtype=torch.float16).as_subclass(OnGpu)
    module.scaled_dot_product_attention(q, q, q)
    (left, right), i, j = asked["window"], torch.arange(n)[:, None], torch.arange(n)
    seen = (j >= i - left) & (j <= i + right) & (j <= i if asked["causal"] else True)
    save(
        f"samba_n{n}_w{window}",
        seen.float(),
        ("microsoft/Samba", "ed3ed5424dbb"),
        cls="CausalSelfAttention",
        config={"window": window, "layer": layer},
        description="window_size and causal of the call of flash_attn_func",
    )


NEMO = ("nemo_toolkit", "2.5.0")


def nemo_chunked(n: int, left: int, right: int) -> None:
    path = "nemo_toolkit/nemo/collections/asr/modules/conformer_encoder.py"
    text = (CHECKOUTS / path).read_text(encoding="utf-8")
    [encoder] = [x for x in ast.parse(text).body if getattr(x, "name", "") == "ConformerEncoder"]
    [method] = [x for x in encoder.body if getattr(x, "name", "") == "_create_masks"]  # type: ignore[attr-defined]
    space: dict[str, Any] = {"torch": torch}
    exec(compile(ast.Module([method], []), path, "exec"), space)
    said = {"self_attention_model": "rel_pos", "att_context_style": "chunked_limited"}
    _, hidden = space["_create_masks"](
        types.SimpleNamespace(**said), [left, right], torch.tensor([n]), n, None, "cpu"
    )
    save(
        f"nemo_chunked_n{n}_l{left}_r{right}",
        (~hidden[0]).float(),
        NEMO,
        cls="ConformerEncoder._create_masks",
        config={"left": left, "right": right},
        description="att_context_style chunked_limited",
    )


def nemo_local(n: int, left: int, right: int, count: int, spacing: int) -> None:
    """Queries and keys are 0, values one-hot: the output is the rows of weights."""
    made = definitions(
        "nemo_toolkit/nemo/collections/asr/parts/submodules/multi_head_attention.py",
        F=nn.functional,
        List=list,
        Tuple=tuple,
        lru_cache=functools.lru_cache,
        avoid_float16_autocast_context=contextlib.nullcontext,
    ).RelPositionMultiHeadAttentionLongformer(
        1, n, 0.0, None, None, [left, right], global_tokens=count, global_tokens_spacing=spacing
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.zero_()
        for linear in (made.linear_v, made.linear_out):
            linear.weight.copy_(torch.eye(n))
        tokens, hidden = torch.eye(n)[None], torch.zeros(1, n, dtype=torch.bool)
        rows = made(tokens, tokens, tokens, hidden, torch.zeros(1, left + right + 1, n))[0]
    save(
        f"nemo_local_n{n}_l{left}_r{right}_g{count}_s{spacing}",
        rows.double().round(decimals=6),
        NEMO,
        cls="RelPositionMultiHeadAttentionLongformer",
        config={"left": left, "right": right, "count": count, "spacing": spacing},
        description="weights of equal scores: a global frame in a window counts twice",
    )


@contextlib.contextmanager
def interpreted() -> Iterator[None]:
    """What asks for a GPU round kernels that run in Triton's interpreter."""
    real = torch.cuda.device_of, torch.cuda.device, torch.cuda.get_device_capability
    torch.cuda.device_of = lambda _: None  # type: ignore
    torch.cuda.device = lambda _: contextlib.nullcontext()  # type: ignore
    torch.cuda.get_device_capability = lambda *_: (8, 0)  # type: ignore
    yield
    torch.cuda.device_of, torch.cuda.device, torch.cuda.get_device_capability = real  # type: ignore


def differentiated(
    name: str, leaves: dict[str, Tensor], out: Tensor, weight: Tensor, **more: Tensor
) -> None:
    gradients = torch.autograd.grad((out * weight).sum(), list(leaves.values()))
    named = {**leaves, **more, "out": out, "weight": weight}
    named |= {f"d{key}": value for key, value in zip(leaves, gradients, strict=True)}
    arrays = {key: value.detach().numpy() for key, value in named.items()}
    np.savez_compressed(HERE / "outputs" / f"{name}.npz", **arrays)


def forgetting(n: int) -> None:
    stub = types.ModuleType("einops")
    stub.rearrange = None  # type: ignore[attr-defined]
    sys.modules["einops"] = stub
    package = "forgetting-transformer/src/forgetting_transformer/ops"
    sys.path.insert(0, str(CHECKOUTS / package))
    import forgetting_attention  # type: ignore[import-not-found]

    torch.manual_seed(7)
    q, k, v, weight = (torch.randn(1, 2, n, 16) for _ in range(4))
    logs = nn.functional.logsigmoid(3 * torch.randn(1, 2, n) + 2)
    leaves = {"q": q, "k": k, "v": v, "log_gates": logs}
    for leaf in leaves.values():
        leaf.requires_grad_()
    with interpreted():
        # Past the check that q, k and v have 16 bits; no scale, and nothing is skipped.
        options = (None, True, None, None, False, False, None, False, False)
        out = forgetting_attention.ForgettingAttention.apply(q, k, v, logs, *options)
        differentiated("forgetting", leaves, out, weight)


class Gives(nn.Module):
    """A projection that gives [batch, n, heads d] of [batch, heads, n, d], whatever comes in."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: Tensor) -> Tensor:
        return self.value.transpose(1, 2).flatten(2) * 1


def differential(n: int) -> None:
    """Projections, rotation, the norm and the last product change nothing."""
    made = definitions(
        "unilm/Diff-Transformer/multihead_diffattn.py",
        F=nn.functional,
        apply_rotary_emb=lambda x, **_: x,
        RMSNorm=lambda *_, **__: nn.Identity(),
    ).MultiheadDiffAttn(4 * 8, 2, 2)
    torch.manual_seed(7)
    q, k = (torch.randn(1, 4, n, 8) for _ in range(2))
    v, weight = (torch.randn(1, 2, n, 16) for _ in range(2))
    leaves = {"q": q, "k": k, "v": v}
    for leaf in leaves.values():
        leaf.requires_grad_()
    made.q_proj, made.k_proj, made.v_proj = Gives(q), Gives(k), Gives(v)
    made.out_proj = nn.Identity()
    out = made(torch.zeros(1, n, 32), ()).unflatten(2, (2, 16)).transpose(1, 2)
    first, second = (
        (getattr(made, f"lambda_q{x}") * getattr(made, f"lambda_k{x}")).sum().exp() for x in (1, 2)
    )
    share = first - second + made.lambda_init
    out = out / (1 - made.lambda_init)
    differentiated("differential", leaves, out, weight, share=share)


if __name__ == "__main__":
    star(8, 32, 5)
    star(6, 18, 1)
    samba(40, 8, 1)
    nemo_chunked(40, 9, 4)
    nemo_chunked(33, 6, 2)
    nemo_local(24, 4, 4, 1, 1)
    nemo_local(24, 4, 2, 3, 2)
    forgetting(70)
    differential(24)
