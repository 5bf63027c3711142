# Relative positions (Shaw et al.): vectors of the distances, for keys and for values
# paper:   Shaw et al. 2018, Self-Attention with Relative Position Representations
# config:  base: 6 layers, 8 heads, vectors that all heads share, distances up to 16
# length:  512
# equals:  relative positions of OpenNMT-py, which has one table for keys and values

full with relative(16) with relative_values(16)
