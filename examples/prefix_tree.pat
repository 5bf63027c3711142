# Prefix trees: trajectories that share prefixes, packed once each as a tree of any depth
# paper:   Wang et al. 2025, Tree Training: Accelerating Agentic LLMs Training via Shared Prefix Reuse
# config:  tokens in preorder, [n] or [batch, n]: `tin` is the number of a token, `tout` the one
#          behind the last token below it; padding has tout 0
# length:  8192
# equals:  every token with its ancestors and itself, as each trajectory alone

where(tin[j] <= tin[i] and tin[i] < tout[j])
