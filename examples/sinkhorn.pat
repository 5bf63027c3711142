# Sinkhorn Transformer: every block attends to itself and to the block that sorting puts beside it
# paper:   Tay et al. 2020, Sparse Sinkhorn Attention
# config:  Long Range Arena: blocks of 50, here 64; 8 heads
# length:  2048
# equals:  the pairs of sinkhorn-transformer's best block, without sweeps; the paper blends blocks by
#          a learned sorting network, here each gets one by the means of queries and keys

heads 8
segment(64) + sinkhorn(64)
