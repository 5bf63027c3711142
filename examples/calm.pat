# CALM, depth-adaptive decoding: a token leaves as soon as its prediction is sure
# paper:   Schuster et al. 2022, Confident Adaptive Language Modeling
# config:  T5 1.1 small: 8 decoder layers; exits after any of them
# length:  512
# equals:  Transformers' T5Attention of the decoder; keys of layers that a token skipped are made
#          from its last state, so at every exit depth from 1 to 8 the reach is the whole past
# beyond:  the measure of confidence, its calibration, and losses at every exit

causal
layers 8
full with t5(32, 128) with scale(1)
