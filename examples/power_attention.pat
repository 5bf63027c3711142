# PowerAttention: the own block, the first one, and blocks at distances that are powers of two
# paper:   Chen et al. 2025, PowerAttention: Exponentially Scaling of Receptive Fields
# config:  blocks of 128 tokens
# length:  32768
# equals:  the paper's rule, by which d layers connect 2 ** d blocks

causal
blocks(128) { diagonal + offsets(powers(2)) + columns([0]) }
