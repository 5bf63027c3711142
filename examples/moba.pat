# Mixture of Block Attention (MoBA): every query attends to its own block and the best of those before
# paper:   Lu et al. 2025, MoBA: Mixture of Block Attention for Long-Context LLMs
# config:  scaling law experiments: 8192 tokens, blocks of 512, top 3 with the own block
# length:  8192
# equals:  the authors' plain code; a block is scored by the query and the mean of its keys

causal
param block = 512
top_blocks(2, block=block) - segment(block) + segment(block)
