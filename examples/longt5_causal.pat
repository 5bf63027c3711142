# LongT5 with transient global attention, causal: blocks that ended before the query's own
# paper:   Guo et al. 2022, LongT5: Efficient Text-To-Text Transformer for Long Sequences
# config:  local_radius 127, global_block_size 16
# length:  4096
# equals:  flaxformer's long attention with causal=True: leftover tokens are in no block

causal
let past_blocks = where(j < i // 16) on pool(16, sum, tail=drop)
(local(left=127) with t5(32, 128) + past_blocks with t5(32, 128, name=block_bias)) with scale(1)
