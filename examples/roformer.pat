# RoFormer: queries and keys turned by their positions
# paper:   Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding
# config:  Transformers' defaults, as roformer_chinese_base has them: 12 layers, 12 heads, 1536
#          positions, base 10000
# length:  1536
# equals:  Transformers' RoFormerSelfAttention: neighbouring dimensions turn together

full with rotary(10000)
