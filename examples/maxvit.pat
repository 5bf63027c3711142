# MaxViT: windows of an image, then grids of as many positions that are far apart
# paper:   Tu et al. 2022, MaxViT: Multi-Axis Vision Transformer
# config:  maxvit_tiny_tf_224, first stage: 56 x 56, windows and grids of 7 x 7
# length:  3136
# equals:  PartitionAttentionCl of timm, "block" and then "grid"
# checked: timm 1.0.31 (timm_maxvit)

layers 2
param side = 56
param size = 7

layer == 0 -> windows([side, side], size=[size, size])
else       -> windows([side, side], size=[size, size], dilation=[side // size, side // size])
