# All-attention: learned keys and values in place of the feed-forward layers, beside Adaptive Span
# paper:   Sukhbaatar et al. 2019, Augmenting Self-attention with Persistent Memory
# config:  enwik8: 18 layers, 8 heads, 1024 persistent vectors a head, spans up to 8192
# length:  512
# equals:  the released code: the span's ramp spares the persistent vectors
# checked: facebookresearch/adaptive-span 27b815fee821 (adaptive_span)
# beyond:  the feed-forward layers are gone

causal
heads 8
param span = 8192
let past = local(left=span, right=-1)
let context = (past on memory(span) + past) with relative(span) with softspan(32, z=z)
context + full on persistent(1024)
