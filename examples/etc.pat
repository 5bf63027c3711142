# ETC, extended transformer construction: a long input, and global tokens of its sentences
# paper:   Ainslie et al. 2020, ETC: Encoding Long and Structured Inputs in Transformers
# config:  base: 12 layers, 12 heads, radius 84, 256 global tokens, relative distances up to 12
# length:  4096
# equals:  etcmodel's layers: l2l and l2g in one softmax, g2g and g2l in another, each with keys and
#          values of its own; the hard g2l mask lets a global token see its own sentence
# beyond:  relation labels of the structure beyond distances, and a contrastive loss

layers 12
heads 12
(local(84) + full on stream(g, 256)) with relative(12)

rows g
(same(sentence) + full on stream(g, 256)) with relative(12)
