# Memorizing Transformer: in one layer a store of earlier segments, its nearest keys behind a gate
# paper:   Wu et al. 2022, Memorizing Transformers
# config:  PG-19: 12 layers, 8 heads, segments of 512, 32 of 65536 keys in the ninth layer
# length:  512
# equals:  meliad's layer with exact search: a strict window over two segments, a gate a head; stored
#          are the documents' own slots, patternc.nn.Store keeps them
# beyond:  unit vectors for queries and keys, and approximate search

causal
layers 12
heads 8
param kept = 65536
let window = local(left=512, right=-1)
let recent = window + window on memory(512)
layer == 8 -> gate(recent, (nearest(32) & columns(stored)) on store(kept), name=trust)
else       -> recent
