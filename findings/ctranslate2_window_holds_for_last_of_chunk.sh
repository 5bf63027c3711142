#!/usr/bin/env bash
# ctranslate2 4.8.5 (CPU), Mistral converted from transformers 5.23.0: in prompts longer than the window, tokens see more than the window.
#
# Expected: the logits after a prompt are those of Transformers for any length; every token sees the last 4 keys with sliding_window=4.
# Seen: they are equal with one layer, and with two layers for prompts of at most one token more than the window. Longer prompts are
# processed in chunks as long as the window, and only the last token of a chunk has exactly its window; tokens before it see keys further
# back. The last token is right in the first layer, and takes wrong values of the others from the second on: after 12 tokens logits are
# off, and a token reaches them that two windows cannot. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ctranslate2==4.8.5 transformers==5.23.0 torch==2.13.0 numpy==2.4.6
HF_HUB_DISABLE_PROGRESS_BARS=1 "$folder/venv/bin/python" -W ignore - "$folder" <<'PYTHON'
import sys
from importlib.metadata import version

import ctranslate2
import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
SIZES = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2}
SIZES |= {"max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
NAMES = Tokenizer(models.WordLevel({f"t{token}": token for token in range(64)}, unk_token="t0"))
SPECIAL = {"unk_token": "t0", "bos_token": "t1", "eos_token": "t2", "pad_token": "t0"}
torch.manual_seed(0)
PROMPT = torch.randint(3, 64, (13,)).tolist()


def converted(model, folder):
    """The model as CTranslate2 has it."""
    model.eval().save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=NAMES, **SPECIAL).save_pretrained(folder)
    ctranslate2.converters.TransformersConverter(folder).convert(folder + "_converted")
    return ctranslate2.Generator(folder + "_converted", device="cpu")


def next_logits(generator, prompt):
    """Logits [61] of the token after the prompt, without those of the special tokens."""
    options = {"max_length": 1, "min_length": 1, "include_prompt_in_result": False, "return_logits_vocab": True}
    result = generator.generate_batch([[f"t{token}" for token in prompt]], **options)[0]
    return np.array(result.logits[0]).ravel()[3:]


@torch.no_grad()
def exact_logits(model, prompt):
    return model(torch.tensor([prompt])).logits[0, -1].numpy()[3:]


def reaching(logits, prompt):
    """A 1 for each token of the prompt whose change changes the logits."""
    others = [[*prompt[:place], (prompt[place] + 4) % 61 + 3, *prompt[place + 1 :]] for place in range(len(prompt))]
    return "".join(str(int(np.abs(logits(other) - logits(prompt)).max() > 1e-5)) for other in others)


print("ctranslate2", version("ctranslate2"), "transformers", transformers.__version__)
for layers in (1, 2):
    config = transformers.MistralConfig(**SIZES, num_hidden_layers=layers, sliding_window=4)
    model = transformers.MistralForCausalLM(config)
    generator = converted(model, f"{sys.argv[1]}/mistral_{layers}")
    for length in (5, 8, 12):
        prompt = PROMPT[:length]
        ours = reaching(lambda tokens: next_logits(generator, tokens), prompt)
        exact = reaching(lambda tokens: exact_logits(model, tokens), prompt)
        off = np.abs(next_logits(generator, prompt) - exact_logits(model, prompt)).max()
        print(f"{layers} layers, {length} tokens: reached by {ours}, in Transformers by {exact}; logits off by {off:.1g}")
        equal = layers == 1 or length == 5
        assert (ours == exact and off < 1e-5) if equal else (ours != exact and off > 1e-3)
PYTHON
