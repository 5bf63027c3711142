# DuoAttention: retrieval heads attend to all tokens, streaming heads to sinks and a window
# paper:   Xiao et al. 2025, DuoAttention: Efficient Long-Context LLM Inference with Retrieval and Streaming Heads
# config:  32 heads, half of them for retrieval; 128 sinks and 256 recent tokens
# length:  8192
# equals:  generate_streaming_mask of the authors' code; which heads retrieve is learned, and they come
#          first as there

causal
heads 32
param retrieval = 16
head < retrieval -> full
else             -> columns([0:128]) + local(left=255)
