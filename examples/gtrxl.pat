# Gated Transformer-XL, for reinforcement learning
# paper:   Parisotto et al. 2020, Stabilizing Transformers for Reinforcement Learning
# config:  a memory of 512, as transformer_xl.pat has it; the paper's sizes vary with the task
# length:  512
# equals:  the attention of Transformer-XL
# checked: transformers 4.46.3 (hf_transfoxl)
# beyond:  gates in place of the residual sums, and norms before the sublayers

causal
(full on memory(512) + full) with xl_relative
