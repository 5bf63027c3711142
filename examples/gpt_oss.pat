# gpt-oss: windows and full attention take turns, with a learned sink a head
# paper:   OpenAI 2025, gpt-oss-120b and gpt-oss-20b Model Card
# config:  gpt-oss-20b: 24 layers, sliding_window = 128 keys with the query itself
# length:  131072
# equals:  Transformers' GptOssAttention on rotated q and k; `sinks` is its parameter
# checked: transformers 5.23.0 (hf_gpt_oss)

causal
layers 24
layer % 2 == 0 -> local(left=127) with sink
else           -> full with sink
