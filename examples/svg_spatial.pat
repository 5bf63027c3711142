# Sparse VideoGen, spatial heads: a prompt, and a band of two frames on each side
# paper:   Xi et al. 2025, Sparse VideoGen: Accelerating Video Diffusion with Spatial-Temporal Sparsity
# config:  CogVideoX: 226 tokens of prompt, 13 frames of 1350 tokens, a band rounded to 128
# length:  17776
# equals:  the released mask; with first=1350 its columns hold the first frame as well
# checked: attn_gym 0.0.17 (attn_gym_svg_spatial)

param prompt = 226
param frame = 1350
param rounding = 128
param first = 0
rows([:prompt]) + columns([: prompt + first]) + local(2 * frame // rounding * rounding - 1)
