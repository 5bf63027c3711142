# Mixture-of-Depths: in every other layer the tokens that a router chose, among themselves
# paper:   Raposo et al. 2024, Mixture-of-Depths: Dynamically allocating compute in transformer-based language models
# config:  every other block is routed, 256 of 2048 tokens in it
# length:  2048
# equals:  the paper's blocks; tokens that are not in `routed` pass the layer by its residual path

causal
allow empty
layers 2
layer == 0 -> full
else       -> columns(routed) & rows(routed)
