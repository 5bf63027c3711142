# MInference's A-shape: first tokens and a window
# paper:   Jiang et al. 2024, MInference 1.0: Accelerating Pre-filling for Long-Context LLMs
# config:  1,024 first tokens, 4,096 before the query
# length:  16384
# equals:  the pattern that the released search weighs
# checked: microsoft/MInference fb56c917f618 (minference_a_shape)

param first = 1024
param near = 4096
causal
columns([:first]) + local(left=near)
