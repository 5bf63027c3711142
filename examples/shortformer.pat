# Shortformer: positions added to queries and keys, so that cached states can be reused
# paper:   Press et al. 2021, Shortformer: Better Language Modeling using Shorter Inputs
# config:  WikiText-103: 16 layers, 8 heads, segments of 512 and the 512 cached before them
# length:  512
# equals:  position-infused attention, added after the projections; the paper adds it before them
# beyond:  training in two stages, on short inputs first

causal
(full on memory(512) + full) with absolute(positions)
