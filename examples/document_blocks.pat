# Documents in chunks: packed documents whose chunks count from the first token of each
# paper:   Meta AI 2025, The Llama 4 herd
# config:  chunks of 2048 tokens (Llama 4: 8192); labels `document`, and `pos` that is 0 at the start of each
# length:  8192
# equals:  Llama 4's chunked layers on each document alone; MaxText's chunks of a packed row, which
#          count from its first token, are `segment(size) & same(document)`

param size = 2048
causal
same(document) & where(pos[i] // size == pos[j] // size)
