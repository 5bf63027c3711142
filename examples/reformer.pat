# Reformer: local layers and layers of hashes take turns
# paper:   Kitaev et al. 2020, Reformer: The Efficient Transformer
# config:  google/reformer-enwik8: 12 layers, 8 heads, local chunks of 128, hashes in chunks of 256
# length:  8192
# equals:  ReformerModel of Transformers, whose keys are unit vectors of its queries: give k so, and
#          scale=1 in layers of hashes
# beyond:  reversible layers, and feed-forward layers in chunks

causal
layers 12
heads 8
layer % 2 == 0 -> segment(128, back=1)
else           -> mix(lsh(512, chunk=256, rounds=4, edge=wrap))
