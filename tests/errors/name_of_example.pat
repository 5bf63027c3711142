causal
longformer
