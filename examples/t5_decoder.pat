# T5, the decoder's self-attention
# paper:   Raffel et al. 2020, Exploring the Limits of Transfer Learning (T5)
# config:  all sizes: 32 buckets, all of them for the past, distances up to 128
# length:  512
# equals:  Transformers' T5Attention of the decoder; it does not scale its scores

causal
full with t5(32, 128) with scale(1)
