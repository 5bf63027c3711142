# Longformer Encoder-Decoder (LED), the encoder
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer, section 7
# config:  led-large-16384: attention_window = 1024 counts both sides, the first token is global
# length:  16384
# equals:  Transformers' LEDEncoder; rows of global tokens have projections of their own, g
# checked: transformers 5.23.0 (hf_led_encoder)

local(512) + global([0], projection=g)
