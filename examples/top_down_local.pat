# Top-down and bottom-up inference, the tokens' local layers
# paper:   Pang et al. 2023, Long Document Summarization with Top-Down and Bottom-Up Inference
# config:  windows of 1024, 512 on each side; 8 layers before the segments, 4 after them
# length:  12288
# equals:  the paper's first step; no code was released

local(512)
