# Causal attention of a decoder
# paper:   Radford et al. 2019, Language Models are Unsupervised Multitask Learners (GPT-2)
# config:  any number of layers and heads
# length:  1024
# equals:  scaled_dot_product_attention(q, k, v, is_causal=True)

causal
