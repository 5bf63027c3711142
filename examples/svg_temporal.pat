# Sparse VideoGen, temporal heads: a prompt, and near places of all frames
# paper:   Xi et al. 2025, Sparse VideoGen: Accelerating Video Diffusion with Spatial-Temporal Sparsity
# config:  CogVideoX: 226 tokens of prompt, 13 frames of 1350 tokens, 2 * 1350 // 13 places
# length:  17776
# equals:  the mask before tokens of one place are laid side by side
# checked: attn_gym 0.0.17 (attn_gym_svg_temporal)

param prompt = 226
param frame = 1350
param frames = 13
let near = abs(i % frame - j % frame) < 2 * frame // frames
global([:prompt]) + within(prompt:) { where(near) }
