#!/usr/bin/env bash
# onnxruntime 1.32.0 (CPU), com.microsoft SparseAttention: a block row without blocks attends to everything before it.
#
# Expected: a block layout that is strictly below the diagonal (every block row sees the blocks before its own) leaves the
# first block row without keys.
# Seen: block row 0, which lists no block, is computed as plain causal attention; all other block rows follow the layout.
# Layouts with their diagonal are exact, in prompts and in decoding steps. List at least one block per row.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

BLOCK, BLOCKS = 16, 4
N = BLOCK * BLOCKS
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}


def weights(layout):
    """Attention weights [N, N] of one head: zero scores, one-hot values."""
    columns = [[b for b in range(BLOCKS) if layout[a][b]] for a in range(BLOCKS)]
    zeros = np.zeros((1, N, N), np.float32)
    cache = np.zeros((1, 1, N, N), np.float32)
    feeds = {
        "query": zeros, "key": zeros, "value": np.eye(N, dtype=np.float32)[None],
        "past_key": cache, "past_value": cache.copy(),
        "block_rows": np.cumsum([0, *map(len, columns)], dtype=np.int32)[None],
        "block_columns": np.array([sum(columns, [])], np.int32),
        "total": np.array([N], np.int32), "totals": np.array([N], np.int32),
    }
    outputs = ["out", "present_key", "present_value"]
    node = helper.make_node("SparseAttention", list(feeds), outputs, domain="com.microsoft",
                            num_heads=1, kv_num_heads=1, sparse_block_size=BLOCK)
    described = [helper.make_tensor_value_info(name, TYPES[str(value.dtype)], value.shape)
                 for name, value in feeds.items()]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(helper.make_graph([node], "g", described, results),
                              opset_imports=opsets, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    binding = session.io_binding()
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(value) for name, value in feeds.items()}
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    binding.bind_output("out")
    binding.bind_ortvalue_output("present_key", values["past_key"])
    binding.bind_ortvalue_output("present_value", values["past_value"])
    session.run_with_iobinding(binding)
    return binding.get_outputs()[0].numpy()[0]


def expected(layout):
    causal = np.tril(np.ones((N, N), bool))
    return causal & np.kron(np.array(layout, bool), np.ones((BLOCK, BLOCK), bool))


print(onnxruntime.__version__)
with_diagonal = [[b <= a for b in range(BLOCKS)] for a in range(BLOCKS)]
with_diagonal[3][1] = False
strict = [[b < a for b in range(BLOCKS)] for a in range(BLOCKS)]
exact = ((weights(with_diagonal) > 0) == expected(with_diagonal)).all()
seen = weights(strict) > 0
print("layout with its diagonal is exact:", exact)
print("keys of rows 0, 5, 15, 16 under the strict layout:", [int(seen[row].sum()) for row in (0, 5, 15, 16)])
assert exact
assert (seen[BLOCK:] == expected(strict)[BLOCK:]).all()
assert (seen[:BLOCK] == np.tril(np.ones((N, N), bool))[:BLOCK]).all()
PYTHON
