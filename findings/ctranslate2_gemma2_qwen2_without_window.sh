#!/usr/bin/env bash
# ctranslate2 4.8.5 (CPU): Gemma 2 and Qwen 2 of transformers 5.23.0 are converted without their windows, Gemma 2 without soft caps too.
#
# Expected: a model whose window the converter cannot keep is refused, as models of an unknown kind are.
# Seen: both convert without a word. Every token of the prompt reaches the next one in a single layer with a window of 4 (the converter
# writes a window for Mistral and Gemma 3, not for these), so outputs are right up to 4 tokens and others after. Gemma 2's
# attn_logit_softcapping and final_logit_softcapping have no effect either: with caps of 1 logits beyond 1 come out.
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
qwen = transformers.Qwen2Config(**SIZES, num_hidden_layers=1, use_sliding_window=True, sliding_window=4, max_window_layers=0)
gemma = {**SIZES, "num_hidden_layers": 1, "sliding_window": 4, "head_dim": 16, "query_pre_attn_scalar": 16}
gemma_plain = transformers.Gemma2Config(**gemma, attn_logit_softcapping=None, final_logit_softcapping=None)
gemma_caps = transformers.Gemma2Config(**gemma, attn_logit_softcapping=1.0, final_logit_softcapping=1.0)


def trial(name, model):
    generator = converted(model, f"{sys.argv[1]}/{name}")
    offs = []
    for length in (4, 12):
        prompt = PROMPT[:length]
        ours = reaching(lambda tokens: next_logits(generator, tokens), prompt)
        exact = reaching(lambda tokens: exact_logits(model, tokens), prompt)
        offs.append(np.abs(next_logits(generator, prompt) - exact_logits(model, prompt)).max())
        print(f"{name}, {length} tokens: reached by {ours}, in Transformers by {exact}; logits off by {offs[-1]:.1g}")
        assert ours == "1" * length and exact == "0" * (length - 4) + "1111"
    return generator, offs


for name, model in [("qwen2", transformers.Qwen2ForCausalLM(qwen)), ("gemma2", transformers.Gemma2ForCausalLM(gemma_plain))]:
    short, long = trial(name, model)[1]
    assert short < 1e-5 and long > 1e-3
model = transformers.Gemma2ForCausalLM(gemma_caps)
with torch.no_grad():
    model.lm_head.weight.mul_(20)
generator, _ = trial("gemma2 with caps of 1", model)
largest = np.abs(next_logits(generator, PROMPT[:4])).max(), np.abs(exact_logits(model, PROMPT[:4])).max()
print(f"gemma2 with caps of 1: greatest logit {largest[0]:.2f}, in Transformers {largest[1]:.2f}")
assert largest[0] > 1.5 and largest[1] <= 1
PYTHON
