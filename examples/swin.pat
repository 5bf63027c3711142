# Swin Transformer: windows of an image, in every other layer shifted by half a window
# paper:   Liu et al. 2021, Swin Transformer: Hierarchical Vision Transformer using Shifted Windows
# config:  swin_tiny_patch4_window7_224, first stage: 56 x 56 patches, windows of 7 x 7
# length:  3136
# equals:  SwinLayer of Transformers; timm where windows divide the grid, else `edge=roll`
# checked: transformers 5.23.0 (hf_swin), timm 1.0.31 (timm_swin)

layers 2
param side = 56
param window = 7
let shift = layer % 2 * (window // 2)

windows([side, side], size=[window, window], shift=[shift, shift])
