# Blockwise attention (BlockBERT), two parts
# paper:   Qiu et al. 2020, Blockwise Self-Attention for Long Document Understanding
# config:  2 parts, 12 heads: two swap the halves, ten keep them
# length:  1024
# equals:  the paper's masks; no code was released

heads 12
head < 2 -> blocks(parts=2) { permuted([1, 0]) }
else     -> blocks(parts=2) { diagonal }
