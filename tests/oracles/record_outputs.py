"""Records outputs and gradients of other people's feature maps and projections: `outputs/`.

    python tests/oracles/record_outputs.py RFA FAST_TRANSFORMERS

To be run in an environment of its own, with torch 2.13.0, numpy, ninja, performer-pytorch 1.1.4 and
linformer-pytorch 0.19.3; the arguments are checkouts of Noahs-ARK/RFA at b075fa8a22cb and of
idiap/fast-transformers at 2ad36b97e64c, which are read file by file. Does not use patternc. Files
hold float64 inputs q, k, v [batch, heads, n, d], the `directions` (of Linformer the weights),
`weight`, the output, and the gradients of (output * weight).sum().
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FOLDER = Path(__file__).parent / "outputs"
BATCH, HEADS, N, DIM = 1, 2, 24, 8
Attend = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def performer(causal: bool) -> Attend:
    """Without the eps that the package adds to each feature, and with no eps in the denominator."""
    from performer_pytorch import performer_pytorch as package

    def attend(q: Tensor, k: Tensor, v: Tensor, directions: Tensor) -> Tensor:
        given = {"projection_matrix": directions, "device": q.device, "eps": 0.0}
        phi_q = package.softmax_kernel(q, is_query=True, **given)
        phi_k = package.softmax_kernel(k, is_query=False, **given)
        if causal:
            return package.causal_linear_attention_noncuda(phi_q, phi_k, v, chunk_size=8, eps=0.0)
        return package.linear_attention(phi_q, phi_k, v)

    return attend


def elu(causal: bool) -> Attend:
    name = "causal_linear_attention" if causal else "linear_attention"
    module = _idiap_file(f"attention/{name}.py")

    def attend(q: Tensor, k: Tensor, v: Tensor, _directions: Tensor) -> Tensor:
        every = types.SimpleNamespace(all_ones=True, lower_triangular=True)
        real = types.SimpleNamespace(float_matrix=torch.ones(BATCH, N))
        kind = module.CausalLinearAttention if causal else module.LinearAttention
        # Its causal product is in single precision.
        parts = [(part.float() if causal else part).transpose(1, 2) for part in (q, k, v)]
        return kind(DIM)(*parts, every, real, real).transpose(1, 2).double()

    return attend


def _idiap_file(name: str) -> types.ModuleType:
    """A file of the second checkout without its package, of which one product is compiled."""
    from torch.utils.cpp_extension import load

    folder = Path(sys.argv[2]) / "fast_transformers"
    names: dict[str, object] = {}
    if "causal" in name:
        source = str(folder / "causal_product" / "causal_product_cpu.cpp")
        compiled = load("causal_product_cpu", [source], extra_cflags=["-fopenmp"])
        product = _executed(
            folder / "causal_product" / "__init__.py",
            causal_dot_product_cpu=compiled.causal_dot_product,
            causal_dot_backward_cpu=compiled.causal_dot_backward,
        )
        names["causal_dot_product"] = product.causal_dot_product
    maps = _executed(folder / "feature_maps" / "base.py")
    dispatcher = types.SimpleNamespace(get=lambda _: types.SimpleNamespace(dispatch=lambda _: None))
    registry = types.SimpleNamespace(register=lambda *_: None)
    words = ("Optional", "Callable", "Int", "EventDispatcherInstance")
    return _executed(
        folder / name,
        elu_feature_map=maps.elu_feature_map,
        EventDispatcher=dispatcher,
        AttentionRegistry=registry,
        **dict.fromkeys(words, _Anything()),
        **names,
    )


class _Anything:
    """Stands for the types of a registry."""

    def __getitem__(self, _: object) -> None: ...

    def __call__(self, *_: object) -> None: ...


def _executed(path: Path, **names: object) -> types.ModuleType:
    """A file whose relative imports are `names`."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^from \.+\w* import (.*\\\n)*.*$", "", text, flags=re.M)
    text = re.sub(r"^try:\n(?: .*\n)+except ImportError:\n    (.*)$", r"\1", text, flags=re.M)
    module = types.ModuleType(path.stem)
    vars(module).update(names)
    exec(text, vars(module))
    return module


def rfa(causal: bool) -> Attend:
    utils = _rfa_file("utils.py")
    module = _rfa_file("causal_attention.py", "RFA", **vars(utils))

    def attend(q: Tensor, k: Tensor, v: Tensor, directions: Tensor) -> Tensor:
        q, k, v = (part.permute(2, 0, 1, 3) for part in (q, k, v))
        phi_q, phi_k = (utils.random_project(x=x, random_matrices=directions) for x in (q, k))
        mask = torch.full((N, N), -1.0).triu(1) if causal else None
        out = module.masked_rfa(phi_q=phi_q, phi_k=phi_k, v=v, attn_mask=mask)
        return out.view(N, BATCH, HEADS, DIM).permute(1, 2, 0, 3)

    return attend


def _rfa_file(name: str, *left_out: str, **names: object) -> types.ModuleType:
    """A file of the checkout without its package, which needs CUDA; sums stay in float64."""
    text = (Path(sys.argv[1]) / "random_feature_attention" / name).read_text(encoding="utf-8")
    text = re.sub(r"^from random_feature_attention.*$", "", text, flags=re.M)
    text = text.replace("x = x.type(torch.float32)", "")
    module = types.ModuleType(name)
    names = {**names, **dict.fromkeys(left_out), "upgrade_state_dict_named": None}
    vars(module).update(names, __file__=name)
    exec("from typing import NamedTuple\n" + text, vars(module))
    return module


def linformer(method: str) -> Attend:
    """The heads of the package's attention, with the weights that `directions` holds, without bias.

    Of learned ones [heads or 1, 2 or 1, m, n], of a convolution [1, 2, d, d, width].
    """
    from linformer_pytorch.linformer_pytorch import LinearAttentionHead

    def attend(q: Tensor, k: Tensor, v: Tensor, directions: Tensor) -> Tensor:
        outs = []
        for head in range(HEADS):
            own = directions[head if len(directions) > 1 else 0]
            parts = [_linear(own[place if len(own) > 1 else 0], method) for place in (0, 1)]
            module = LinearAttentionHead(DIM, 0.0, *parts, None)
            outs.append(module(q[:, head], k[:, head], v[:, head]))
        return torch.stack(outs, 1)

    return attend


def _linear(weight: Tensor, method: str) -> torch.nn.Module | Tensor:
    from linformer_pytorch.linformer_pytorch import get_EF

    if method == "no_params":
        return weight.mT
    slots = weight.shape[0] if method == "learnable" else N // weight.shape[2]
    module = get_EF(N, slots, method, DIM, bias=False).double()
    module.weight = torch.nn.Parameter(weight)
    if module.bias is not None:
        torch.nn.init.zeros_(module.bias)
    return module


def record(name: str, attend: Attend, directions: Tensor, seed: int) -> None:
    torch.manual_seed(seed)
    q, k, v = (torch.randn(BATCH, HEADS, N, DIM, dtype=torch.float64) for _ in range(3))
    weight = torch.randn_like(v)
    leaves = [part.requires_grad_() for part in (q, k, v)]
    out = attend(*leaves, directions)
    gradients = torch.autograd.grad((out * weight).sum(), leaves)
    named = {"q": q, "k": k, "v": v, "directions": directions, "weight": weight, "out": out}
    named |= dict(zip(("dq", "dk", "dv"), gradients, strict=True))
    arrays = {key: value.detach().numpy() for key, value in named.items()}
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


def main() -> None:
    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    from performer_pytorch.performer_pytorch import gaussian_orthogonal_random_matrix

    orthogonal = gaussian_orthogonal_random_matrix(20, DIM).double()
    independent = torch.randn(HEADS, 16, DIM, dtype=torch.float64)
    none = torch.zeros(0, DIM, dtype=torch.float64)
    for causal in (False, True):
        kind = "causal" if causal else "full"
        record(f"features_performer_{kind}", performer(causal), orthogonal, 1)
        record(f"features_rfa_{kind}", rfa(causal), independent, 2)
        record(f"features_elu_{kind}", elu(causal), none, 3)
    torch.manual_seed(1)
    shapes = {"none": (HEADS, 2), "headwise": (1, 2), "kv": (1, 1)}
    for sharing, leading in shapes.items():
        weights = torch.randn(*leading, 6, N, dtype=torch.float64) / N**0.5
        record(f"linformer_{sharing}", linformer("learnable"), weights, 4)
    kernels = torch.randn(1, 2, DIM, DIM, 4, dtype=torch.float64) / 8
    record("linformer_convolution", linformer("convolution"), kernels, 4)
    fixed = torch.randn(1, 2, 6, N, dtype=torch.float64) / N**0.5
    record("linformer_fixed", linformer("no_params"), fixed, 4)


if __name__ == "__main__":
    main()
