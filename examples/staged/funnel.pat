# Funnel Transformer, the encoder: blocks of half as many rows each, a row of the classes apart
# paper:   Dai et al. 2020, Funnel-Transformer: Filtering out Sequential Redundancy
# config:  B4-4-4H768: three blocks of four layers; the first layer of a block asks what was pooled
# length:  512
# equals:  Transformers' FunnelModel, whose scores of relative positions and types are the bias
# beyond:  the decoder, two layers of `full` on repeated rows

stage first
layers 4
full with bias(table)

stage second
query_pool(2, mean, apart=1, tail=truncate)
layers 4
layer == 0 -> full on encoder with bias(pooled)
else       -> full with bias(table)

stage third
query_pool(2, mean, apart=1, tail=truncate)
layers 4
layer == 0 -> full on encoder with bias(pooled)
else       -> full with bias(table)
