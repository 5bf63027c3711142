# Gated Transformer-XL, for reinforcement learning
# paper:   Parisotto et al. 2020, Stabilizing Transformers for Reinforcement Learning
# config:  12 layers, 8 heads, a memory of 512
# length:  95
# equals:  the attention of Transformer-XL
# checked: transformers 4.46.3 (hf_transfoxl)
# beyond:  gates in place of the residual sums, and norms before the sublayers

causal
(full on memory(512) + full) with xl_relative
