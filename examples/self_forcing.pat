# Self-Forcing, CausVid: blocks of frames see the frames of a window that ends with their own block
# paper:   Huang et al. 2025, Self Forcing: Bridging the Train-Test Gap in Autoregressive Video Diffusion
# config:  blocks of 3 frames of 1560 tokens, a window of 21 frames
# length:  65520
# equals:  the released mask of training with a local window; without one it is `video_blocks`
# checked: guandeh17/Self-Forcing 33593df3e81f (self_forcing)

param frame = 1560
param block = 3
param window = 21
let end = i // block * block + block
blocks(frame) { where(end - window <= j and j < end) } + diagonal
