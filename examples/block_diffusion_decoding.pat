# Block diffusion, decoding (Fast-dLLM v2, SDAR): blocks see themselves and all blocks before
# paper:   Wu et al. 2025, Fast-dLLM v2: Efficient Block-Diffusion LLM
# config:  blocks of 32 tokens
# length:  4096
# equals:  j // 32 <= i // 32

blocks(32) { causal }
