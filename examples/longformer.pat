# Longformer, encoder
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer
# config:  longformer-base-4096: attention_window = 512 counts both sides, [CLS] is global
# length:  4096
# equals:  Transformers' LongformerModel, but for rows of global tokens: those have projections of
#          their own there, and the ordinary ones here

layers 12
heads 12
local(256) + global([0])
