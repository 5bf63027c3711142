# ETC, extended transformer construction: the long input's rows
# paper:   Ainslie et al. 2020, ETC: Encoding Long and Structured Inputs in Transformers
# config:  base: 12 layers, 12 heads, radius 84, 256 global tokens, relative distances up to 12
# length:  4096
# equals:  the long rows of etcmodel's layers; rows of the global tokens are a call of their own
# beyond:  relation labels of the structure beyond distances, and a contrastive loss

local(84) with relative(12) + full on stream(g, 256)
