# Adaptive Span, dynamic: every head and token has a span of its own
# paper:   Sukhbaatar et al. 2019, Adaptive Attention Span in Transformers
# config:  as `adaptive_span`; z = 8192 sigmoid(v . x + b) of each token (patternc.nn.DynamicSpan)
# length:  512
# equals:  the paper's section 2.2; with one z a head that of `adaptive_span`
# beyond:  a penalty on the spans in training, and a cache cut to the longest of them

causal
heads 8
param span = 8192
let past = local(left=span, right=-1)
(past on memory(span) + past) with relative(span) with dynamic_span(32, z=z)
