# Causal video by blocks of frames (SkyReels-V2): blocks see themselves and the blocks before
# paper:   Chen et al. 2025, SkyReels-V2: Infinite-length Film Generative Model
# config:  blocks of 5 frames, each of 1560 tokens
# length:  39000
# equals:  diffusers' SkyReelsV2Transformer3DModel with 2 and more frames a block
# checked: diffusers 0.42.1 (diffusers_skyreels_v2)

param frame = 1560
param frames = 5
blocks(frame * frames) { causal }
