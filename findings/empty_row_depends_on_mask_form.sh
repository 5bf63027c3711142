#!/usr/bin/env bash
# jax 0.10.2 and mlx 0.32.4 (CPU): what a query without keys returns depends on how the same mask is written.
#
# Expected: one answer per library for a row whose keys are all masked, and zeros where a boolean mask says "none"
# (torch 2.13's scaled_dot_product_attention gives zeros for booleans and for -inf).
# Seen, in both: a boolean mask gives the mean of ALL values, masked ones included; the same mask as 0 / -inf gives NaN;
# and a third answer, zeros, where jax's row is cut by `query_seq_lengths` and where mlx has a sink.
# Left-padded batches turn from finite to NaN, or leak padding, when a mask changes its form.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'jax[cpu]==0.10.2' 'mlx[cpu]==0.32.4' numpy==2.4.6
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp
import mlx.core as mx
import numpy as np

mx.set_default_device(mx.cpu)
allowed = np.array([[True, True], [False, False]])
added = np.where(allowed, 0, -np.inf).astype(np.float32)


def by_jax(**options):
    zeros, values = jnp.zeros((1, 2, 1, 2)), jnp.eye(2)[None, :, None]
    return np.array(jax.nn.dot_product_attention(zeros, zeros, values, **options)[0, 1, 0])


def by_mlx(mask, **options):
    zeros, values = mx.zeros((1, 1, 2, 2)), mx.eye(2)[None, None]
    attend = mx.fast.scaled_dot_product_attention
    return np.array(attend(zeros, zeros, values, scale=1.0, mask=mx.array(mask), **options)[0, 0, 1])


rows = {
    "jax, boolean mask": by_jax(mask=jnp.array(allowed)[None, None]),
    "jax, bias of -inf": by_jax(bias=jnp.array(added)[None, None]),
    "jax, query_seq_lengths=1": by_jax(query_seq_lengths=jnp.array([1])),
    "mlx, boolean mask": by_mlx(allowed),
    "mlx, mask of -inf": by_mlx(added),
    "mlx, boolean mask and a sink": by_mlx(allowed, sinks=mx.zeros((1,))),
}
print(jax.__version__, mx.__version__)
for name, row in rows.items():
    print(f"{name}: {row}")
for name in ("jax, boolean mask", "mlx, boolean mask"):
    assert np.allclose(rows[name], 0.5), name
for name in ("jax, bias of -inf", "mlx, mask of -inf"):
    assert np.isnan(rows[name]).all(), name
for name in ("jax, query_seq_lengths=1", "mlx, boolean mask and a sink"):
    assert (rows[name] == 0).all(), name
PYTHON
