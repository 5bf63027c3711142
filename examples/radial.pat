# Radial attention for video: bands around the same place of other frames, narrower with distance
# paper:   Li et al. 2025, Radial Attention: O(n log n) Sparse Attention with Energy Decay for Long Video Generation
# config:  HunyuanVideo: 21 frames of 3,600 tokens, widths halved at distances 2, 4, 8, 16, at least 128
# length:  75600
# equals:  gen_log_mask_shrinked of the released code before it shrinks tokens to blocks

param size = 3600
let frames = abs(i // size - j // size)
let place = abs(i % size - j % size)

(where(frames <= 1) + columns([:size]) + where(frames < 4 and place <= 1024)
 + where(frames < 8 and place <= 512) + where(frames < 16 and place <= 256)
 + where(frames < 32 and place <= 128))
