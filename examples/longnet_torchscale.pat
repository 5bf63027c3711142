# LongNet with the head offsets of the released code
# paper:   Ding et al. 2023, LongNet: Scaling Transformers to 1,000,000,000 Tokens, section 4.2
# config:  segments 2048 .. 32768, dilations 1, 2, 4, 6, 12; 12 heads, in runs of one offset each
# length:  32768
# equals:  torchscale's DilatedAttention forward; it detaches the mixing weights in its gradient
# checked: microsoft/torchscale 4d1e0e82e5ad (torchscale_longnet)

causal
heads 12
mix(
    segment(2048),
    segment(4096, dilation=2, offset=head // ((heads + 1) // 2)),
    segment(8192, dilation=4, offset=head // ((heads + 3) // 4)),
    segment(16384, dilation=6, offset=head // ((heads + 5) // 6)),
    segment(32768, dilation=12, offset=head // ((heads + 11) // 12)),
)
