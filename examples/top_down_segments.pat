# Top-down and bottom-up inference, the tokens' attention to segments
# paper:   Pang et al. 2023, Long Document Summarization with Top-Down and Bottom-Up Inference
# config:  segments of 32 tokens every 24; 512 of them at this length
# length:  12288
# equals:  the paper's pooled segments as keys; no code was released
# beyond:  two layers among the segments alone, which are `full` over them; weights in the pooling

full on pool(32, mean, stride=24)
