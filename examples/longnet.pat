# LongNet: dilated segments, joined by their softmax denominators
# paper:   Ding et al. 2023, LongNet: Scaling Transformers to 1,000,000,000 Tokens, section 4.2
# config:  segments 2048 .. 32768, dilations 1, 2, 4, 6, 12; 12 heads with offsets head mod r
# length:  32768
# equals:  equations 9 to 13 of the paper; the released code draws other offsets and detaches the
#          mixing weights in its gradient

causal
heads 12
mix(
    segment(2048),
    segment(4096, dilation=2, offset=head % 2),
    segment(8192, dilation=4, offset=head % 4),
    segment(16384, dilation=6, offset=head % 6),
    segment(32768, dilation=12, offset=head % 12),
)
