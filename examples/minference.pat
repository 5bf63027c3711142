# MInference: each head has one of three patterns, chosen by an input of the call
# paper:   Jiang et al. 2024, MInference 1.0: Accelerating Pre-filling for Long-Context LLMs
# config:  `kind` [heads, n] is 0 for the A-shape, 1 for vertical and slash lines, 2 for blocks of 64
#          keys that a head found for each query
# length:  4096
# equals:  the released masks of the three kinds, each on the heads that have it

causal
let a_shape = columns([:128]) + local(left=4095)
let lines = where(vertical[j] == 1) + offsets(slash)
(where(kind[j] == 0) & a_shape
 + where(kind[j] == 1) & lines
 + where(kind[j] == 2) & listed(found, block=64))
