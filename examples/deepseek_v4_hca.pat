# DeepSeek-V4, heavily compressed layers: a window, and a slot for every 128 tokens behind it
# paper:   DeepSeek-AI 2026, DeepSeek-V4 Technical Report
# config:  window of 128 keys, slots of 128 tokens, a sink a head; slots are learned mixtures
# length:  8192
# equals:  Transformers' DeepseekV4Model; its slots are not means: they are given as `pool_kv`
# checked: transformers 5.23.0 (hf_deepseek_v4_hca)
# beyond:  layers between these whose indexer chooses slots of 4 tokens

param window = 128
param rate = 128
causal
(local(left=window - 1) + full on pool(rate, mean, tail=drop)) with sink
