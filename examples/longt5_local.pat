# LongT5 with local attention, the encoder
# paper:   Guo et al. 2022, LongT5: Efficient Text-To-Text Transformer for Long Sequences
# config:  all sizes: local_radius 127, 32 buckets up to distance 128
# length:  4096
# equals:  Transformers' LongT5LocalAttention; T5 does not scale its scores
# checked: transformers 5.23.0 (hf_longt5_local)

local(127) with t5(32, 128) with scale(1)
