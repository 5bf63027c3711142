# Block diffusion (BD3-LM), training: noised tokens in the first half, clean ones in the second
# paper:   Arriola et al. 2025, Block Diffusion: Interpolating Between Autoregressive and Diffusion
# config:  1024 tokens, both ways 2048, in blocks of 16; the length is a multiple of two blocks
# length:  2048
# equals:  block_diff_mask of the released code: a noised block sees itself and the clean blocks
#          before it, a clean block the clean ones up to itself

let clean = where(j >= n // 2 and j <= i)
let before = where(i < n // 2 and j >= n // 2 and j - n // 2 < i)
blocks(16) { diagonal + clean + before }
