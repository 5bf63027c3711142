# CrossFormer: neighbouring patches, then patches at an interval
# paper:   Wang et al. 2022, CrossFormer: A Versatile Vision Transformer Hinging on Cross-scale Attention
# config:  CrossFormer-T, second stage: 28 x 28, groups of 7 x 7, interval 4
# length:  784
# equals:  Attention of vit-pytorch, "short" and then "long"
# checked: vit-pytorch 1.26.14 (vit_pytorch_crossformer)

layers 2
param side = 28
param interval = 4
let group = side // interval

layer == 0 -> windows([side, side], size=[group, group])
else       -> windows([side, side], size=[group, group], dilation=[interval, interval])
