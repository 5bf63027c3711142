# StreamingLLM: attention sinks and a window
# paper:   Xiao et al. 2024, Efficient Streaming Language Models with Attention Sinks
# config:  4 sinks and the last 1020 keys
# length:  16384
# equals:  the paper's pattern; positions are those of the text, not of the cache

causal
columns([0:4]) + local(left=1019)
