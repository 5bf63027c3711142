# Tree decoding: drafted tokens in a tree, each sees the text and the path from its root
# paper:   Miao et al. 2024, SpecInfer: Accelerating LLM Serving with Tree-Based Inference
# config:  the text is the first 1024 keys; `ancestors` lists positions for every row, -1 for none
# length:  1088
# equals:  the tree mask of speculative decoding (Medusa, EAGLE, attention-gym's tree-causal mask)

param text = 1024
causal
columns([0:text]) + diagonal + listed(ancestors)
