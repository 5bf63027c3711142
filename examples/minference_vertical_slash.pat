# MInference's vertical and slash lines: keys and distances that each head finds at run time
# paper:   Jiang et al. 2024, MInference 1.0: Accelerating Pre-filling for Long-Context LLMs
# config:  `vertical` is 1 at the keys of the lines, `slash` are their distances; both of each head
# length:  4096
# equals:  the released mask of single pairs, before blocks are chosen from it
# checked: microsoft/MInference fb56c917f618 (minference_vertical_slash)

causal
where(vertical[j] == 1) + offsets(slash)
