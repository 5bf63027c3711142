# Neighborhood attention, 2-D and dilated: windows of 13 x 13 on a 64 x 64 grid
# paper:   Hassani and Shi 2022, Dilated Neighborhood Attention Transformer
# config:  kernel_size 13, dilation 2; at the border the window shifts inward
# length:  4096
# equals:  natten.functional.na2d(q, k, v, kernel_size=13, dilation=2)
# checked: natten 0.17.5 (natten_2d), attn_gym 0.0.17 (attn_gym_natten_c)

param side = 64
neighborhood([side, side], radius=[6, 6], dilation=[2, 2], edge=shift)
