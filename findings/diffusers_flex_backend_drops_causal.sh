#!/usr/bin/env bash
# diffusers 0.42.1 (torch 2.13.0, CPU): the backend `flex` drops `is_causal`, and takes a mask of keys for a mask of queries.
#
# Expected: dispatch_attention_fn gives one result for one call on every backend that accepts it, or raises.
# Seen: with backend="flex" is_causal=True alone is full attention (the causal mask is made only beside a tensor mask, which is then
# dropped in its turn, where the math backend raises), and a boolean mask [batch, keys], which "native" takes for padding, hides the
# queries of these numbers: padded keys take part, and rows of real tokens become zeros. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet diffusers==0.42.1 torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

torch.manual_seed(0)
q, k, v = torch.randn(3, 2, 64, 4, 16)
pairs = torch.rand(2, 1, 64, 64) < 0.5
keys = torch.rand(2, 64) < 0.7


def attend(backend, **options):
    return dispatch_attention_fn(q, k, v, backend=AttentionBackendName(backend), **options)


def compare(name, a, b, equal):
    off = (a - b).abs().max().item()
    print(f"{name}: off by {off:.1g}")
    assert off < 1e-5 if equal else off > 0.5


print(f"diffusers {version('diffusers')}, torch {torch.__version__}")
compare("flex and native, mask of pairs", attend("flex", attn_mask=pairs), attend("native", attn_mask=pairs), True)
causal = attend("flex", is_causal=True)
compare("flex and native, is_causal", causal, attend("native", is_causal=True), False)
compare("flex, is_causal, and native without a mask", causal, attend("native"), True)
both = attend("flex", is_causal=True, attn_mask=pairs)
compare("flex, is_causal and mask, and native, is_causal alone", both, attend("native", is_causal=True), True)
padded = attend("flex", attn_mask=keys)
compare("flex and native, mask [batch, keys]", padded, attend("native", attn_mask=keys), False)
compare("native, mask [batch, keys] and [batch, 1, 1, keys]", attend("native", attn_mask=keys), attend("native", attn_mask=keys[:, None, None]), True)
compare("flex, mask [batch, keys], and native, [batch, 1, queries, 1]", padded, attend("native", attn_mask=keys[:, None, :, None]), True)
PYTHON
