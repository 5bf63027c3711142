# Hiera: attention within mask units, in the order of the released code
# paper:   Ryali et al. 2023, Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles
# config:  hiera_base_224, first stage: 56 x 56 tokens, 49 units of 8 x 8
# length:  3136
# equals:  MaskUnitAttention of timm; in raster order `windows([56, 56], size=[8, 8])`
# checked: timm 1.0.31 (timm_hiera)

param units = 49
strided(units)
