# Hymba: learned meta tokens in front that all see, and windows in all layers but three
# paper:   Dong et al. 2024, Hymba: A Hybrid-head Architecture for Small Language Models
# config:  Hymba 1.5B: 32 layers, 128 meta tokens, a window of 1024 keys before the query
# length:  8192
# equals:  the released block's mask functions; the window does not count the query
# checked: NVlabs/hymba df5b2a95b990 (hymba)
# beyond:  state-space heads beside those of attention in every layer

param meta = 128
param window = 1024
causal
layers 32
layer == 0 or layer == 15 or layer == 31 -> full
else                                     -> columns([:meta]) + local(left=window)
