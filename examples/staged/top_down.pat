# Top-down and bottom-up inference: local layers, segments among themselves, then tokens that read them
# paper:   Pang et al. 2023, Long Document Summarization with Top-Down and Bottom-Up Inference
# config:  windows of 1024; 8 layers, 2 of segments of 32 every 24, 4 of local and cross-attention each
# length:  4096
# equals:  the paper; no code was released
# beyond:  weights in the pooling

stage words
layers 8
local(512)

stage segments
query_pool(32, mean, stride=24)
layers 2
full

stage top from words, segments
layers 8
layer % 2 == 0 -> local(512)
else           -> full on encoder
