# Longformer, encoder
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer
# config:  longformer-base-4096: attention_window = 512 counts both sides, [CLS] is global
# length:  4096
# equals:  Transformers' LongformerModel; rows of global tokens have projections of their own, g
# checked: transformers 5.23.0 (hf_longformer), allenai/longformer caefee668e39 (allenai_longformer)

layers 12
heads 12
local(256) + global([0], projection=g)
