# Phi-3-small: dense layers take turns with blocks, of which every head sees near ones and every eighth
# paper:   Abdin et al. 2024, Phi-3 Technical Report: A Highly Capable Language Model Locally
# config:  32 layers and heads, blocks of 64 tokens, 16 near ones, a vertical stride of 8 blocks
# length:  8192
# equals:  get_sparse_attn_mask of vLLM with homo_head=False
# checked: vllm-project/vllm 00e3ddc51d79 (vllm_phi3_small)

param size = 64
param near = 16
param stride = 8
causal
layers 32
heads 32
let column = j + head * max(1, stride // heads) + 1
layer % 2 == 1 -> full
else           -> blocks(size) { where(i - j < near or column % stride == 0) }
