# Longformer Encoder-Decoder (LED), the decoder's self-attention
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer, section 7
# config:  led-large-16384: 12 layers, 16 heads
# length:  1024
# equals:  Transformers' LEDDecoderAttention over its own tokens

causal
