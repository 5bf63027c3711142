# Linformer: 256 learned mixtures of all positions
# paper:   Wang et al. 2020, Linformer: Self-Attention with Linear Complexity
# config:  k = 256 at n = 1024; `project_weights` holds E and F [256, 1024], fixed to one length
# length:  1024
# equals:  linformer-pytorch 0.19.3 without biases: headwise with a pair for all heads, none with
#          [heads, 256, 1024] each, kv with one tensor, layerwise with one for every layer;
#          pooled is `full on pool(4, mean)`, convolved `full on pool(4, convolution)`, fixed
#          `full on project(256, seed=0)`

full on project(256)
