# Forgetting Transformer: scores fall by what the gates between key and query forget
# paper:   Lin et al. 2025, Forgetting Transformer: Softmax Attention with a Forget Gate
# config:  FoX without position embeddings
# length:  16384
# equals:  the kernels of zhixuan-lin/forgetting-transformer 883f260c636e: scores with c[i] - c[j], c the
#          running sums of the logarithms of each head's gates, `kept`
# beyond:  the pro block, which normalises q and k, shifts keys and gates outputs

causal
full with decay(kept)
