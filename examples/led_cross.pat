# Longformer Encoder-Decoder (LED), the decoder's attention to the encoder
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer, section 7
# config:  led-large-16384: every decoder token sees the whole input, as in BART and T5
# length:  1024
# equals:  Transformers' LEDDecoderAttention with key_value_states

full on encoder
