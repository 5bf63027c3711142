# Radial attention: the window within a frame halves as the distance of two frames doubles
# paper:   Li et al. 2025, Radial Attention: O(n log n) Sparse Attention with Energy Decay
# config:  21 frames of 3600 tokens (Wan 2.1), the first one seen by all; with more frames some lack
# length:  75600
# equals:  the released masks of pairs of frames, before blocks are chosen from them
# checked: mit-han-lab/radial-attention 72788d4f0a6d (radial)

param frame = 3600
param sinks = 1
let gap = abs(i // frame - j // frame)
let apart = abs(i % frame - j % frame)
let near = gap < 4 and apart <= 1024 or gap < 8 and apart <= 512 or gap < 16 and apart <= 256
where(j < frame * sinks or gap <= 1 or near or apart <= 128)
