# Adaptive Span: every head has a learned span, here as trained
# paper:   Sukhbaatar et al. 2019, Adaptive Attention Span in Transformers
# config:  enwik8: 12 layers, 8 heads, blocks of 512, spans up to 8192 with a ramp of 32
# length:  512
# equals:  SeqAttention of facebookresearch/adaptive-span; z is its span in tokens, a number a head
# checked: facebookresearch/adaptive-span 27b815fee821 (adaptive_span)
# beyond:  a penalty on the spans in training, and a cache cut to the longest of them

causal
heads 8
param span = 8192
let past = local(left=span, right=-1)
(past on memory(span) + past) with relative(span) with softspan(32, z=z)
