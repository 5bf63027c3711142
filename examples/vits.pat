# VITS, the text encoder: vectors of the distances within a window, none beyond it
# paper:   Kim et al. 2021, Conditional Variational Autoencoder with Adversarial Learning (VITS)
# config:  6 layers, 2 heads, a window of 4
# length:  512
# equals:  Transformers' VitsAttention

local(4) with relative(4) with relative_values(4) + full
