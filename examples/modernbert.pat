# ModernBERT: one layer that sees all, then two with a window
# paper:   Warner et al. 2024, Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder
# config:  ModernBERT base: 22 layers, local_attention = 128, which is 64 keys on each side
# length:  8192
# equals:  Transformers' ModernBertModel
# checked: transformers 5.23.0 (hf_modernbert)

param window = 128
layers 22
layer % 3 == 0 -> full
else           -> local(window // 2)
