# Shared prefixes: continuations of one prompt side by side, none sees another, all see the prompt
# paper:   Juravsky et al. 2024, Hydragen: High-Throughput LLM Inference with Shared Prefixes
# config:  labels `document` of each prompt and continuation, `story` of what has one prompt, and
#          booleans `prefix` that are true at prompts
# length:  8192
# equals:  the shared prefix mask of attention-gym
# checked: attn_gym 0.0.17 (attn_gym_shared_prefix)

causal
same(document) + same(story) & columns(prefix)
