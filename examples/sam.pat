# Segment Anything, image encoder: windows, and four layers that see the whole image (ViTDet)
# paper:   Kirillov et al. 2023, Segment Anything
# config:  sam_vit_b: 64 x 64 patches, windows of 14 x 14, global layers 2, 5, 8, 11
# length:  4096
# equals:  SamVisionLayer of Transformers, which lets zero padding take mass at two edges
# checked: transformers 5.23.0 (hf_sam)

layers 12
param side = 64

layer % 3 == 2 -> full
else           -> windows([side, side], size=[14, 14])
