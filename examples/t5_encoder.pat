# T5, the encoder's self-attention
# paper:   Raffel et al. 2020, Exploring the Limits of Transfer Learning (T5)
# config:  all sizes: 32 buckets, half of them for keys after the query, distances up to 128
# length:  512
# equals:  Transformers' T5Attention of the encoder; it does not scale its scores

full with t5(32, 128) with scale(1)
