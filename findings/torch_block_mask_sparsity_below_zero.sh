#!/usr/bin/env bash
# torch 2.13.0 (CPU), BlockMask.sparsity(): negative for lengths that are not a multiple of the block.
#
# Expected: a percentage between 0 and 100, near 50 for a causal mask of any length, as what is printed with a mask suggests.
# Seen: the last block counts whole where it hangs over the end, while the pairs it is compared with are those of the length
# asked for: a causal mask of 130 positions has a sparsity of -190.8 %, one of 257 of -48.8 %. Attention itself is exact.
# Compare masks at multiples of the block, or count blocks: kv_num_blocks and full_kv_num_blocks are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import torch
from torch.nn.attention.flex_attention import create_block_mask


def causal(batch, head, query, key):
    return query >= key


print(torch.__version__)
for n in (128, 130, 256, 257, 1024):
    mask = create_block_mask(causal, 1, 1, n, n, device="cpu")
    blocks = int(mask.kv_num_blocks.sum() + mask.full_kv_num_blocks.sum())
    rows = -(-n // 128)
    print(f"n = {n}: {blocks} blocks of {rows * rows}, sparsity {mask.sparsity():.1f} %")
    assert blocks == rows * (rows + 1) // 2
    assert abs(mask.sparsity() - 100 * (1 - blocks * 128 * 128 / n**2)) < 1e-3
    assert (mask.sparsity() < 0) == (n in (130, 257))
PYTHON
