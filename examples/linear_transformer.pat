# Linear Transformer: features elu(x) + 1, as many as the head size
# paper:   Katharopoulos et al. 2020, Transformers are RNNs
# config:  the decoder; a state [head_dim, head_dim + 1] a head in place of a cache
# length:  3072
# equals:  fast-transformers, CausalLinearAttention

causal
features(map=elu)
