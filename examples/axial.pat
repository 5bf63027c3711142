# Axial attention: a softmax over the row of a grid and one over its column, added
# paper:   Ho et al. 2019, Axial Attention in Multidimensional Transformers
# config:  a grid of 64 x 64 positions
# length:  4096
# equals:  axial-attention's AxialAttention with sum_axial_out
# checked: axial-attention 0.6.1 (axial_attention)

param width = 64
sum(where(i // width == j // width), where(i % width == j % width))
