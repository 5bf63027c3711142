# Neighborhood attention, 1-D, dilated and causal
# paper:   Hassani et al. 2023, Neighborhood Attention Transformer; causal axes came with its code
# config:  kernel_size 13, dilation 4, is_causal; the window ends at the query
# length:  1024
# equals:  natten.functional.na1d(q, k, v, kernel_size=13, dilation=4, is_causal=True)
# checked: natten 0.17.5 (natten_1d)

param length = 1024
neighborhood([length], left=[12], right=[0], dilation=[4], causal=[0])
