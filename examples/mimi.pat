# Mimi, the transformers of moshi's codec: causal, a window of 250 frames
# paper:   Defossez et al. 2024, Moshi: a speech-text foundation model for real-time dialogue
# config:  mimi: context 250, at 12.5 frames a second
# length:  1500
# equals:  MimiModel of Transformers, StreamingMultiheadAttention of moshi
# checked: transformers 5.23.0 (hf_mimi), moshi 0.2.13 (moshi_attention)

causal
local(left=249)
