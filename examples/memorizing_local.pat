# Memorizing Transformer, all layers but the one with the memory: a window over two segments
# paper:   Wu et al. 2022, Memorizing Transformers
# config:  12 layers, 8 heads, segments and windows of 512, the segment before them as cache
# length:  512
# equals:  meliad's window_length 512: the 512 keys before the query, without its own
# beyond:  in the ninth layer, the nearest of 65,536 stored keys, gated with this

causal
let past = local(left=512, right=-1)
past on memory(512) + past
