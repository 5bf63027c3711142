# Sparse Transformer, strided, both parts merged in every head
# paper:   Child et al. 2019, Generating Long Sequences with Sparse Transformers, section 5.1
# config:  CIFAR-10: 3 x 32 x 32 bytes, stride 128
# length:  3072
# equals:  A1 + A2 of the paper; the union is the same with 128 or 129 local keys

causal
local(left=127) + strided(128)
