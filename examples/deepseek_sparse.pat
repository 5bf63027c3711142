# DeepSeek Sparse Attention: an indexer of its own chooses the keys of all heads
# paper:   DeepSeek-AI 2025, DeepSeek-V3.2: Pushing the Frontier of Open Large Language Models
# config:  671B: 128 heads, 2048 keys a query; index are the scores of the lightning indexer, [batch, 1, n, n]
# length:  8192
# equals:  DeepseekV32Model of Transformers on the indexer's scores
# beyond:  the indexer, which is trained by itself to follow the attention

causal
nearest(2048, scores=index)
