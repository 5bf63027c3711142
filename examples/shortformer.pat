# Shortformer: positions added to queries and keys, so that cached states can be reused
# paper:   Press et al. 2021, Shortformer: Better Language Modeling using Shorter Inputs
# config:  WikiText-103 (fairseq's transformer_lm_wiki103): 16 layers, 8 heads, segments of 512 and
#          the 512 cached before them
# length:  512
# equals:  position-infused attention: with projected positions, (p W_q, p W_k), as `positions`, the
#          same as the released code's, which adds p before the projections
# beyond:  training in two stages, on short inputs first

causal
(full on memory(512) + full) with absolute(positions)
