#!/usr/bin/env bash
# litgpt 0.5.13, torch 2.13.0 (CPU): a prompt given in chunks to a model with a sliding window sees tokens of the future.
#
# Expected: with a cache, a prompt given in chunks gives the outputs of one pass without a cache; a longer prompt than the
# window is refused with the advice to give it in chunks of at most the window.
# Seen: that holds for chunks of one token. With chunks of 2 to 4 tokens and a window of 4, only the last token of each chunk is right
# once the window is full: the ring of keys holds the whole chunk already, and rows before its last token attend to the tokens after
# them (and have lost the oldest keys of their windows). No error, no warning, within the advised size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet litgpt==0.5.13 torch==2.13.0
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import torch
from litgpt import GPT, Config

N, WINDOW = 12, 4
torch.manual_seed(0)
shape = {"block_size": N, "vocab_size": 32, "padded_vocab_size": 32, "n_layer": 1, "n_head": 2, "n_embd": 32}
model = GPT(Config(**shape, sliding_window_size=WINDOW, sliding_window_indices=[1])).eval()
tokens = torch.randint(0, 32, (1, N))
changed = tokens.clone()
changed[0, -1] = (tokens[0, -1] + 1) % 32


@torch.no_grad()
def in_chunks(tokens, size):
    """Logits [N, vocabulary] of the prompt given in chunks of so many tokens to an empty cache."""
    model.set_kv_cache(batch_size=1)
    places = torch.arange(N).split(size)
    logits = [model(tokens[:, where], input_pos=where)[0] for where in places]
    model.clear_kv_cache()
    return torch.cat(logits)


def differing(a, b):
    return torch.nonzero((a - b).abs().amax(-1) > 1e-4).flatten().tolist()


print(version("litgpt"), torch.__version__)
with torch.no_grad():
    whole, whole_changed = model(tokens)[0], model(changed)[0]
assert differing(whole, whole_changed) == [11]
for size, wrong, ahead in [(1, [], []), (2, [4, 6, 8, 10], [10]), (3, [3, 4, 6, 7, 9, 10], [9, 10]), (4, [4, 5, 6, 8, 9, 10], [8, 9, 10])]:
    logits = in_chunks(tokens, size)
    seeing = [row for row in differing(logits, in_chunks(changed, size)) if row < 11]
    print(f"chunks of {size}: rows {differing(logits, whole)} differ from one pass; rows {seeing} see the last token")
    assert differing(logits, whole) == wrong and seeing == ahead
try:
    in_chunks(tokens, 6)
except ValueError as error:
    print("chunks of 6:", error)
    assert "chunked prefill with chunk size <= 4" in str(error)
else:
    raise AssertionError("a chunk longer than the window is taken")
PYTHON
