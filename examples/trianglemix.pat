# TriangleMix: dense layers below, above them first and last keys, and everything for the last rows
# paper:   He et al. 2025, TriangleMix: Accelerating Prefilling via Decoding-time Contribution Sparsity
# config:  Llama 3.1 8B: 32 layers, of which 16 are dense; 8 first and 512 last keys, 100 last rows
# length:  32768
# equals:  tri_shape_kernel of the released code
# checked: microsoft/MInference fb56c917f618 (trianglemix)

param initial = 8
param near = 512
param last = 100
causal
layers 32
layer < 16 -> full
else       -> columns([:initial]) + local(left=near - 1) + rows([-last:])
