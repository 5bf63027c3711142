# Sparse Transformer, fixed, a summary group of its own for every head
# paper:   Child et al. 2019, Generating Long Sequences with Sparse Transformers
# config:  enwik8: 8 heads, segments of 128, four groups of 32 counted from the segment's end
# length:  12288
# equals:  the released code's "fixed" with num_verts = 4: head h takes group h mod 4
# checked: openai/sparse_attention c53f3bdbf622 (openai_bst_fixed)

causal
heads 8
let v = head % 4
segment(128) + columns(period(128, 128 - (v + 1) * 32 : 128 - v * 32))
