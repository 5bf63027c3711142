#!/usr/bin/env bash
# onnx 1.23.2 and onnxruntime 1.32.0 (CPU), Attention of opset 24: a mask with fewer columns than there are keys.
#
# Expected: the operator's text allows a mask whose last dimension is shorter than the keys ("padded with -inf"), so a runtime
# takes what the reference evaluator takes.
# Seen: onnx's reference evaluator hides the keys without a column; onnxruntime refuses the model when it runs
# ("inconsistent total_sequence_length"), not when it is loaded. Export masks that are as wide as the keys.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

text = " ".join(onnx.defs.get_schema("Attention", 24, "").inputs[3].description.split())
feeds = {
    "q": np.zeros((1, 1, 3, 5), np.float32), "k": np.zeros((1, 1, 5, 5), np.float32),
    "v": np.eye(5, dtype=np.float32)[None, None], "mask": np.ones((3, 3), bool),
}
node = helper.make_node("Attention", list(feeds), ["out"])
described = [
    helper.make_tensor_value_info(
        name, TensorProto.BOOL if name == "mask" else TensorProto.FLOAT, value.shape
    )
    for name, value in feeds.items()
]
result = helper.make_tensor_value_info("out", TensorProto.FLOAT, (1, 1, 3, 5))
graph = helper.make_graph([node], "g", described, [result])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)], ir_version=10)
onnx.checker.check_model(model)
print(onnx.__version__, onnxruntime.__version__)
print(text)
reference = ReferenceEvaluator(model).run(None, feeds)[0][0, 0]
print("reference evaluator:", reference[0].round(2))
assert np.allclose(reference, [[1 / 3, 1 / 3, 1 / 3, 0, 0]] * 3)
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
session = onnxruntime.InferenceSession(model.SerializeToString(), options)
try:
    session.run(None, feeds)
except Exception as error:
    print("onnxruntime:", str(error)[-110:])
    assert "inconsistent total_sequence_length" in str(error)
else:
    raise SystemExit("onnxruntime takes the mask now")
PYTHON
