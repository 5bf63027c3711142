# Routing Transformer: half of the heads are local, the others attend within clusters
# paper:   Roy et al. 2021, Efficient Content-Based Sparse Attention with Routing Transformers
# config:  WikiText-103: 10 layers, 16 heads, 8 clusters of 512
# length:  4096
# equals:  routing-transformer's clusters, which are averaged; centroids are a buffer of the model,
#          patternc.nn.updated_means moves them

causal
heads 16
head < 8 -> segment(256, back=1)
else     -> mean(cluster(8, 512, means=centroids))
