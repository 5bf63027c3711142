# Unlimiformer: cross-attention to the keys nearest to each query, of an encoder without a limit
# paper:   Bertsch et al. 2023, Unlimiformer: Long-Range Transformers with Unlimited Length Input
# config:  BART-base: 12 heads, 1024 keys; the encoder reads overlapping windows
# length:  1024
# equals:  the paper for exact search; patternc.runtime.states_as_keys has its rewritten score, by which
#          one index of states serves all heads and layers
# beyond:  how it is trained; the windows of the encoder are those of staged/sled.pat

heads 12
nearest(1024) on encoder
