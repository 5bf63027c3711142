# XLNet, permutation language modelling: every token sees those before it in an order of the call
# paper:   Yang et al. 2019, XLNet: Generalized Autoregressive Pretraining for Language Understanding
# config:  the content stream without memory; `rank` is the place of each token in the drawn order
# length:  512
# equals:  Transformers' XLNetModel with the order as perm_mask; the query stream leaves out itself
# checked: transformers 5.23.0 (hf_xlnet)

where(rank[j] <= rank[i])
