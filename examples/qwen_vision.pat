# Qwen2.5-VL, image encoder: windows of merged patches, and four layers that see the whole image
# paper:   Bai et al. 2025, Qwen2.5-VL Technical Report
# config:  one image of 896 x 896: 64 x 64 patches, merged by 2 x 2, windows of 112 pixels
# length:  4096
# equals:  Qwen2_5_VisionTransformerPretrainedModel: the four patches of a merged one are neighbours
# checked: transformers 5.23.0 (hf_qwen2_5_vl)

layers 32
param frames = 1
param side = 32

layer % 8 == 7 -> segment(4 * side * side)
else           -> blocks(4) { windows([frames, side, side], size=[1, 4, 4]) }
