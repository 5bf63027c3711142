# Image Transformer, 1-D local attention
# paper:   Parmar et al. 2018, Image Transformer, section 3.1
# config:  blocks of 256 that see themselves and the block before
# length:  3072
# equals:  Tensor2Tensor's masked_local_attention_1d from two blocks on

causal
segment(256, back=1)
