# Neighborhood attention, 1-D and dilated: windows of 13 in every fourth position
# paper:   Hassani and Shi 2022, Dilated Neighborhood Attention Transformer
# config:  kernel_size 13, dilation 4; at the ends the window shifts inward
# length:  1024
# equals:  natten.functional.na1d(q, k, v, kernel_size=13, dilation=4)
# checked: natten 0.17.5 (natten_1d)

param length = 1024
neighborhood([length], radius=[6], dilation=[4], edge=shift)
