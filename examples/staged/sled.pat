# SLED: an encoder of short texts reads overlapping windows, its decoder all that they keep
# paper:   Ivgi et al. 2023, Efficient Long-Text Understanding with Short-Text Models
# config:  BART-base: 6 layers each, windows of 256 of which the middle half is kept
# length:  4096
# equals:  py-sled's windows

stage windows
unfold(256, margin=64)
layers 6
full

stage decoder from target, windows
layers 12
layer % 2 == 0 -> causal
else           -> full on encoder
