# SepLLM: first tokens, separators, and a window; separators stand for the segments before them
# paper:   Chen et al. 2024, SepLLM: Accelerate Large Language Models by Compressing One Segment
# config:  4 first tokens, a window of 64 keys with the query; `separators` is given at call time
# length:  2048
# equals:  build_prefill_mask of the released training code
# checked: HKUDS/SepLLM f250f59503f1 (sepllm)

param initial = 4
param window = 64
causal
columns([:initial]) + columns(separators) + local(left=window - 1)
