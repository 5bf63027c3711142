# Performer: positive orthogonal random features of the softmax
# paper:   Choromanski et al. 2021, Rethinking Attention with Performers
# config:  256 features; redrawn in training: other directions as `matrix`, or another seed
# length:  8192
# equals:  performer-pytorch 1.1.4, softmax_kernel without its eps and linear_attention

param seed = 0
features(256, map=favor, seed=seed)
