# LogSparse attention: each token sees itself and tokens at distances that are powers of two
# paper:   Li et al. 2019, Enhancing the Locality and Breaking the Memory Bottleneck of Transformer
# config:  LogSparse without local attention, restarts and the convolutions of queries and keys
# length:  4096
# equals:  j = i and j = i - 2 ** e for all e, each token once

causal
offsets(powers(2)) + diagonal
