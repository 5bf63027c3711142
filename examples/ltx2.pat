# LTX-2, the decoder: neighbourhoods in time, height and width, moved inside at the edges
# paper:   HaCohen et al. 2026, LTX-2: Efficient Joint Audio-Visual Foundation Model
# config:  windows of 3 x 3 x 3 on a grid of 8 x 16 x 16; even sizes reach one further back
# length:  2048
# equals:  diffusers' neighbourhood mask
# checked: diffusers 0.42.1 (diffusers_ltx2)

neighborhood([8, 16, 16], left=[1, 1, 1], right=[1, 1, 1], edge=shift)
