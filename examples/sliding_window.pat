# Sliding window attention of a decoder
# paper:   Jiang et al. 2023, Mistral 7B
# config:  sliding_window = 4096 keys with the query itself, so 4095 taps to the left
# length:  32768
# equals:  Transformers' Mistral, Phi-3, Qwen2 and Starcoder2 masks
# checked: transformers 5.23.0 (hf_mistral), attn_gym 0.0.17 (attn_gym_sliding_window)

causal
local(left=4095)
