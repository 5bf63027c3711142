# Transformer-XL: the segment and the memory before it
# paper:   Dai et al. 2019, Transformer-XL: Attentive Language Models Beyond a Fixed-Length Context
# config:  enwik8 base: 12 layers, 8 heads, segments of 512, a memory of 512
# length:  512
# equals:  MemTransformerLM of kimiyoung/transformer-xl
# checked: transformers 4.46.3 (hf_transfoxl)

causal
(full on memory(512) + full) with xl_relative
