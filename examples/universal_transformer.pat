# Universal Transformer, the encoder: one layer, as often as a token asks
# paper:   Dehghani et al. 2019, Universal Transformers
# config:  the same weights in every step, up to 6 of them
# length:  512
# equals:  the attention of one step; every pair is connected after the first
# beyond:  recurrence over depth with halting a token, and positions and steps added to the input

full
