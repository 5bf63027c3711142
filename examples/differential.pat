# Differential Transformer: a second softmax, with queries and keys of its own, is subtracted
# paper:   Ye et al. 2025, Differential Transformer
# config:  both softmaxes causal, over the same values
# length:  4096
# equals:  MultiheadDiffAttn of microsoft/unilm 3aca927fa14b, softmax(q1 k1) v - weight softmax(q2 k2) v;
#          `second` is (q2, k2, v)
# beyond:  weight of learned vectors for each layer, and a norm of each head's output

causal
difference(full, rows([:], projection=second), name=weight)
