# Next-scale prediction (VAR), training: every map of tokens sees itself and the coarser ones
# paper:   Tian et al. 2024, Visual Autoregressive Modeling: Scalable Image Generation
# config:  `step` is the number of a token's map; ten maps of 1, 2, 3, 4, 5, 6, 8, 10, 13, 16 squared
# length:  680
# equals:  attn_bias_for_masking of the released code: 0 where step[i] >= step[j]

where(step[i] >= step[j])
