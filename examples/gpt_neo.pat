# GPT-Neo: global and local layers take turns
# paper:   Black et al. 2021, GPT-Neo: Large Scale Autoregressive Language Modeling
# config:  GPT-Neo 1.3B: 24 layers, window_size = 256 keys with the query itself
# length:  2048
# equals:  Transformers' GPTNeoModel with attention types [["global", "local"], 12], which does not
#          scale its scores
# checked: transformers 5.23.0 (hf_gpt_neo)

causal
layers 24
layer % 2 == 0 -> full with scale(1)
else           -> local(left=255) with scale(1)
