# ALiBi: a penalty on distance in place of positions
# paper:   Press et al. 2022, Train Short, Test Long: Attention with Linear Biases
# config:  WikiText-103 (fairseq's transformer_lm_wiki103): 16 layers, 8 heads, trained at 512 and
#          read at any length
# length:  512
# equals:  the authors' model; slopes 2^(-8 h / heads), interleaved where heads is no power of two

causal
full with alibi
