# Prefix language model: the prefix is read in both directions, the rest from left to right
# paper:   Raffel et al. 2020, Exploring the Limits of Transfer Learning (T5), section 3.2.1
# config:  a prefix of 60 tokens; another one with -D prefix=128
# length:  512
# equals:  the prefix_lm mask of attention-gym
# checked: attn_gym 0.0.17 (attn_gym_prefix_lm)

param prefix = 60
columns([0:prefix]) + causal
