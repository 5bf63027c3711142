# LongLive: blocks of frames see the last frames of a rolling cache, and the first ones for ever
# paper:   Yang et al. 2025, LongLive: Real-time Interactive Long Video Generation
# config:  8 frames of 880 tokens a block, a cache of 32 frames of which 8 are sinks
# length:  70400
# equals:  the released module with its cache, step by step
# checked: NVlabs/LongLive 7860ad968568 (longlive)

param block = 8
param kept = 32
param sinks = 8
let end = i // block * block + block
let seen = end <= kept or j < sinks or j >= end - kept + sinks
blocks(880) { where(j < end and seen) }
