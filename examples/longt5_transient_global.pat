# LongT5 with transient global attention, the encoder: windows, and the sum of every 16 tokens
# paper:   Guo et al. 2022, LongT5: Efficient Text-To-Text Transformer for Long Sequences
# config:  all sizes: local_radius 127, global_block_size 16, leftover tokens join the last block
# length:  4096
# equals:  Transformers' LongT5TransientGlobalAttention; its second table of biases, by the distance
#          of blocks, is given spread out as `side`, and slots made of normed sums as the pool's own
# checked: transformers 5.23.0 (hf_longt5_tglobal)

let blocks_of_16 = full on pool(16, sum, tail=merge)
(local(127) with t5(32, 128) + blocks_of_16 with bias(side)) with scale(1)
