# SPALM, its short-term memory
# paper:   Yogatama et al. 2021, Adaptive Semiparametric Language Models
# config:  segments and a short-term memory of 512, as transformer_xl.pat has them
# length:  512
# equals:  the attention of Transformer-XL
# checked: transformers 4.46.3 (hf_transfoxl)
# beyond:  a long-term memory of neighbours, found at the top layer and gated into the output

causal
(full on memory(512) + full) with xl_relative
