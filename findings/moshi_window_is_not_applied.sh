#!/usr/bin/env bash
# transformers 5.23.0 (torch 2.13.0, CPU), MoshiModel: `sliding_window` has no effect in eager and sdpa attention.
#
# Expected: a model with sliding_window=4 sees the last 4 keys under every attention implementation, as Mistral does.
# Seen: every earlier token reaches the last one in a Moshi of one layer under eager and sdpa. The model makes a causal mask without
# the window, and its layers store the number without using it, so sequences longer than sliding_window (3,000 by default)
# attend to everything before. A Mistral of the same sizes keeps to its window.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 transformers==5.23.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import inspect

import torch
import transformers
from transformers.models.moshi import modeling_moshi

SIZES = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
    "num_key_value_heads": 4, "head_dim": 8, "max_position_embeddings": 64, "sliding_window": 4,
}


def seen(model):
    """The positions whose token changes the last output."""
    ids = torch.arange(10, 22)[None]
    with torch.no_grad():
        base = model(input_ids=ids)[0][0, -1]
        changed = [ids.index_fill(1, torch.tensor([key]), 40) for key in range(12)]
        outs = [model(input_ids=each)[0][0, -1] for each in changed]
    return [key for key, out in enumerate(outs) if (out - base).abs().max() > 1e-6]


print("torch", torch.__version__, "transformers", transformers.__version__)
for attention in ("eager", "sdpa"):
    torch.manual_seed(0)
    moshi = transformers.MoshiModel(transformers.MoshiConfig(**SIZES, ffn_dim=64, attn_implementation=attention)).eval()
    mistral = transformers.MistralModel(transformers.MistralConfig(**SIZES, attn_implementation=attention)).eval()
    for model in (moshi, mistral):
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.data.mul_(6)
    print(attention, "moshi", seen(moshi), "mistral", seen(mistral))
    assert seen(moshi) == list(range(12))
    assert seen(mistral) == [8, 9, 10, 11]
assert "create_sliding_window_causal_mask" not in inspect.getsource(modeling_moshi)
PYTHON
echo "as described"
