#!/usr/bin/env bash
# onnxruntime-genai 0.18.0 (CPU), model builder: a Mistral of transformers 5.23.0 is built without its window, a Qwen 2 with it.
#
# Expected: GroupQueryAttention nodes with local_window_size=4 for sliding_window=4, or an error.
# Seen: the builder takes the layers with a window from the configuration's layer_types. A Mistral has none, since all its layers have the
# window: local_window_size is -1 in each, though genai_config.json names window_size 4 (with an empty list of layers). Logits are right
# for prompts of 4 tokens and off after, and every token reaches the next one. A Qwen 2 with the same window is exact.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime-genai==0.18.0 onnxruntime==1.32.0 onnx==1.23.2 onnx-ir==1.1.0 \
    transformers==5.23.0 torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime_genai
import torch
import transformers
from tokenizers import Tokenizer, models

transformers.logging.disable_progress_bar()
SIZES = {"vocab_size": 97, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
torch.manual_seed(0)
PROMPT = torch.randint(3, 97, (12,)).tolist()


def built(model, folder):
    """The folder of the model that the builder writes."""
    model.save_pretrained(folder)
    names = Tokenizer(models.WordLevel({f"t{token}": token for token in range(97)}, unk_token="t0"))
    transformers.PreTrainedTokenizerFast(tokenizer_object=names, unk_token="t0", bos_token="t1", eos_token="t2").save_pretrained(folder)
    out = Path(f"{folder}_built")
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", folder, "-o", str(out), "-p", "fp32", "-e", "cpu"]
    subprocess.run([*command, "-c", f"{folder}_cache"], check=True, capture_output=True)
    return out


def windows(folder):
    """local_window_size of each attention node, and what the configuration says."""
    nodes = onnx.load(folder / "model.onnx", load_external_data=False).graph.node
    found = [a.i for node in nodes if node.op_type == "GroupQueryAttention" for a in node.attribute if a.name == "local_window_size"]
    said = json.loads((folder / "genai_config.json").read_text())["model"]["decoder"]["sliding_window"]
    return found, said["window_size"], said["layers"]


def off(model, runtime, prompt):
    """Greatest difference of the logits after the prompt."""
    parameters = onnxruntime_genai.GeneratorParams(runtime)
    parameters.set_search_options(max_length=32)
    generator = onnxruntime_genai.Generator(runtime, parameters)
    generator.append_tokens(np.array(prompt, dtype=np.int32))
    with torch.no_grad():
        exact = model(torch.tensor([prompt])).logits[0, -1].numpy()
    return np.abs(np.array(generator.get_output("logits"))[0, -1] - exact).max()


print("onnxruntime-genai", version("onnxruntime-genai"), "transformers", transformers.__version__)
mistral = transformers.MistralForCausalLM(transformers.MistralConfig(**SIZES, sliding_window=4)).eval()
window = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0}
qwen = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**SIZES, **window)).eval()
for name, model, expected in [("mistral", mistral, ([-1, -1], 4, [])), ("qwen2", qwen, ([4, 4], 4, [0, 1]))]:
    folder = built(model, f"{sys.argv[1]}/{name}")
    runtime = onnxruntime_genai.Model(str(folder))
    short, long = off(model, runtime, PROMPT[:4]), off(model, runtime, PROMPT)
    print(f"{name}: local_window_size, window_size, layers: {windows(folder)}; logits off by {short:.1g} after 4 tokens, {long:.1g} after 12")
    assert windows(folder) == expected and short < 1e-5
    assert long > 0.01 if name == "mistral" else long < 1e-5
PYTHON
