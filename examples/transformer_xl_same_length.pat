# Transformer-XL, evaluation with the same number of keys for every query
# paper:   Dai et al. 2019, Transformer-XL: Attentive Language Models Beyond a Fixed-Length Context
# config:  enwik8 base: 12 layers, 8 heads, evaluated on segments of 80 with a memory of 2100
# length:  80
# equals:  MemTransformerLM of kimiyoung/transformer-xl with same_length: 2100 keys with the query,
#          so that no query sees the oldest slot
# checked: transformers 4.46.3 (hf_transfoxl)

causal
allow empty
let window = local(left=2099)
(window on memory(2100) + window) with xl_relative
