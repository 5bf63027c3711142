# Sparse Transformer, fixed, both parts merged in every head
# paper:   Child et al. 2019, Generating Long Sequences with Sparse Transformers, section 5.1
# config:  enwik8: 30 layers, 8 heads, segments of 128, the last 32 of each are summaries
# length:  12288
# equals:  A1 + A2 of the paper, with j mod l in {l - c, .., l - 1}

causal
segment(128) + columns(period(128, 96:128))
