# Packed documents: several in one row of a batch, none sees another, windows of 4096
# paper:   Krell et al. 2021, Efficient Sequence Packing without Cross-contamination
# config:  `document` is given at call time: integers [n] or [batch, n], negative for padding
# length:  8192
# equals:  the document mask of attention-gym with a sliding window inside
# checked: attn_gym 0.0.17 (attn_gym_document_sliding)

causal
same(document) & local(left=4095)
