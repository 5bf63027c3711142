#!/usr/bin/env bash
# jax 0.10.2 (CPU, "xla" implementation), jax.nn.dot_product_attention: a query over a cache of valid length is not placed at its end.
#
# Expected: with `key_value_seq_lengths=[4]` of 6 cached positions, `is_causal=True` and one query (a decoding step), the query
# sees the 4 valid keys, as with ONNX Attention's `nonpad_kv_seqlen` or FlashAttention's `cache_seqlens`.
# Seen: row r is at position r whatever the lengths are, so the decoding step sees key 0 alone; `local_window_size=(2, 0)` is
# placed the same way. No error and no warning. Leave `is_causal` out for single steps, and pass a mask for several.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'jax[cpu]==0.10.2'
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import jax
import jax.numpy as jnp


def seen(queries, **options):
    """The keys with weight, a list for each query."""
    query, key = jnp.zeros((1, queries, 1, 6)), jnp.zeros((1, 6, 1, 6))
    lengths = jnp.array([4])
    weights = jax.nn.dot_product_attention(
        query, key, jnp.eye(6)[None, :, None], key_value_seq_lengths=lengths, **options
    )
    return [[j for j in range(6) if row[j] > 0] for row in weights[0, :, 0].tolist()]


print(jax.__version__)
causal, window, plain = seen(1, is_causal=True), seen(2, local_window_size=(2, 0)), seen(1)
print("causal, one query:", causal)
print("window (2, 0), two queries:", window)
print("no mask, one query:", plain)
assert causal == [[0]] and window == [[0], [0, 1]] and plain == [[0, 1, 2, 3]]
PYTHON
