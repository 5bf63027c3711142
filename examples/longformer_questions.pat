# Longformer for question answering: the question's tokens are global, given at call time
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer
# config:  longformer-base-4096; `question` is booleans [n] or positions, with no recompilation
# length:  4096
# equals:  Transformers' LongformerForQuestionAnswering with global_attention_mask on the question
# checked: transformers 5.23.0 (hf_longformer)

layers 12
heads 12
local(256) + global(question, projection=g)
