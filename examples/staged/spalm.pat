# SPALM: short-term memory in all layers, neighbours of a long-term memory behind a gate of each token
# paper:   Yogatama et al. 2021, Adaptive Semiparametric Language Models
# config:  segments and a memory of 512, 12 layers; 4 neighbours, whose next tokens are the keys
# length:  512
# equals:  the paper: (1 - g) h + g m, with q, k and v of the second stage the states h themselves
# beyond:  the search for neighbours, by states of another model

stage short
layers 12
causal
(full on memory(512) + full) with xl_relative

stage long
heads 1
gate(diagonal, listed(neighbours) on store(1_000_000), name=trust)
