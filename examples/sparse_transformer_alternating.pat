# Sparse Transformer, strided, the parts taking turns from layer to layer
# paper:   Child et al. 2019, Generating Long Sequences with Sparse Transformers, section 5.1
# config:  CIFAR-10: 128 layers, 2 heads, stride 128
# length:  3072
# equals:  A1 in even layers, A2 in odd ones

causal
layers 128
layer % 2 == 0 -> local(left=127)
else           -> strided(128)
