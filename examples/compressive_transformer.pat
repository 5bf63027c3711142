# Compressive Transformer: what leaves the memory stays, two positions to a slot
# paper:   Rae et al. 2020, Compressive Transformers for Long-Range Sequence Modelling
# config:  PG-19: 36 layers, segments of 512, memory of 512, compressed memory of 512 at rate 2
# length:  512
# equals:  section 3.1 of the paper; its code was not released
# checked: compressive-transformer-pytorch 0.4.0 (compressive)
# beyond:  how slots are compressed, and the loss that trains it, is the caller's

causal
(full on compressed(512, rate=2) + full on memory(512) + full) with xl_relative
