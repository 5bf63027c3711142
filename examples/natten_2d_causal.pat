# Neighborhood attention, 2-D, causal from row to row
# paper:   Hassani et al. 2023, Neighborhood Attention Transformer; causal axes came with its code
# config:  kernel_size 7 x 13 on a 64 x 64 grid; rows look back, columns shift inward
# length:  4096
# equals:  natten.functional.na2d(q, k, v, kernel_size=(7, 13), is_causal=(True, False))
# checked: natten 0.17.5 (natten_2d)

param side = 64
neighborhood([side, side], left=[6, 6], right=[0, 6], edge=shift, causal=[0])
