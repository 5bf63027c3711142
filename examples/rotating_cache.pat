# Rotating cache: once it is full, the first keys stay and the last ones move, step by step
# paper:   Hannun et al. 2023, MLX: An array framework for Apple silicon
# config:  4096 slots of which 4 stay; the steps are single tokens
# length:  16384
# equals:  mlx-lm's RotatingKVCache, written token by token; a prompt in one call has no such limit
# checked: mlx-lm 0.32.2 (mlx_lm_rotating)

param size = 4096
param kept = 4
causal
where(i < size) + columns([:kept]) + local(left=size - kept - 1)
