# Star Attention: blocks of the context see themselves and the first block, the question sees all
# paper:   Acharya et al. 2024, Star Attention: Efficient LLM Inference over Long Sequences
# config:  a context in blocks of 4096 tokens, behind it a question of 128
# length:  32896
# equals:  both phases of the released model, whose anchor block is the first block
# checked: NVIDIA/Star-Attention c61059f5cbf5 (star_attention)

param size = 4096
param question = 128
causal
segment(size) + columns([:size]) + rows([-question:])
