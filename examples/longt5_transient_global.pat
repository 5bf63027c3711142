# LongT5 with transient global attention, the encoder: windows, and the sum of every 16 tokens
# paper:   Guo et al. 2022, LongT5: Efficient Text-To-Text Transformer for Long Sequences
# config:  all sizes: local_radius 127, global_block_size 16, leftover tokens join the last block
# length:  4096
# equals:  Transformers' LongT5TransientGlobalAttention, biases of both distances included; keys and
#          values of `pooled_states` (normed, then projected) come as `pool_kv`
# checked: transformers 5.23.0 (hf_longt5_tglobal)

let blocks_of_16 = full on pool(16, sum, tail=merge)
(local(127) with t5(32, 128) + blocks_of_16 with t5(32, 128, name=block_bias)) with scale(1)
