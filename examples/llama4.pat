# Llama 4: three layers in chunks of 8192 tokens, then one that sees all
# paper:   Meta AI 2025, The Llama 4 Herd
# config:  Llama 4 Scout: 48 layers, attention_chunk_size = 8192
# length:  32768
# equals:  Transformers' Llama4TextModel; chunks do not look back over their edge
# checked: transformers 5.23.0 (hf_llama4)

param chunk = 8192
causal
layers 48
layer % 4 == 3 -> full
else           -> segment(chunk)
