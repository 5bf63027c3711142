# BP-Transformer: tokens attend to themselves and to ever larger spans around them
# paper:   Ye et al. 2019, BP-Transformer: Modelling Long-Range Context via Binary Partitioning
# config:  enwik8 at 8192: 12 layers, 8 heads, k = 64 spans of each level on each side
# length:  8192
# equals:  the graphs of BPT's builder at powers of two: contextual and self edges; the rows `tree`,
#          each span over its tokens, are its affiliation edges
# beyond:  biases by edge type

causal
layers 12
heads 8
diagonal + contextual(64) on tree(2)
