#!/usr/bin/env bash
# jax 0.10.2 (CPU, interpreted), splash attention: a query without keys returns another value for other block sizes.
#
# Expected: for a row of the mask that holds no key one answer, zeros as in the FlashAttention kernels, whatever the blocks are.
# Seen: the row is the mean of the values of all blocks that are visited for its block of queries, keys that no row of the mask
# sees among them: 128 values with blocks of 128, 256 with blocks of 256, 512 with blocks of 512. Rows with keys are
# exact with each. No warning. Tuning block sizes changes the outputs of padded rows, and what padding leaks into them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'jax[cpu]==0.10.2' numpy==2.4.6
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as kernel
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks

N = 512
allowed = np.tri(N, dtype=bool)
allowed[100] = False


def weights(block):
    """Attention weights [N, N] of one head: zero scores, one-hot values."""
    sizes = kernel.BlockSizes(block_q=block, block_kv=block, block_kv_compute=block)
    mask = masks.MultiHeadMask([masks.NumpyMask(allowed)])
    attend = kernel.make_splash_mha(mask, block_sizes=sizes, head_shards=1, q_seq_shards=1, interpret=True)
    zeros = jnp.zeros((1, N, N))
    return np.array(attend(zeros, zeros, jnp.eye(N)[None])[0])


print(jax.__version__)
for block in (128, 256, 512):
    found = weights(block)
    row, rest = found[100], np.delete(found, 100, axis=0)
    print(f"blocks of {block}: row 100 is the mean of {(row > 0).sum()} values, its sum {row.sum():.2f}")
    assert ((rest > 0) == np.delete(allowed, 100, axis=0)).all()
    assert (row > 0).sum() == block and np.allclose(row[:block], 1 / block)
PYTHON
