# Full attention of an encoder
# paper:   Vaswani et al. 2017, Attention Is All You Need
# config:  BERT base; any number of layers and heads
# length:  512
# equals:  scaled_dot_product_attention(q, k, v)

full
