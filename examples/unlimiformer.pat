# Unlimiformer: cross-attention to the keys nearest to each query, of an encoder without a limit
# paper:   Bertsch et al. 2023, Unlimiformer: Long-Range Transformers with Unlimited Length Input
# config:  BART-base: 12 heads, 1024 keys; the encoder reads overlapping windows
# length:  1024
# equals:  the paper for exact search; one index of states serves all layers there, here each head
#          searches its own projected keys, which gives the same scores but for the keys' bias
# beyond:  the windows of the encoder, and how it is trained

heads 12
nearest(1024) on encoder
