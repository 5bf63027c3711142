# Native Sparse Attention (NSA): summaries of windows, selected blocks and a window, each a softmax
# paper:   Yuan et al. 2025, Native Sparse Attention: Hardware-Aligned and Natively Trainable Sparse Attention
# config:  27B: windows of 32 every 16, 16 blocks of 64 of which the first and the last two always
# length:  8192
# equals:  the paper; importance are the scores of blocks, its equations 9 and 10; branches are the
#          gates, [3, batch, heads, queries]
# checked: native-sparse-attention-pytorch 0.2.3 (nsa)
# beyond:  summaries by a small network, given as pool_kv

causal
heads 64
let always = columns([0:64]) + segment(64, back=1)
let selected = top_blocks(13, block=64, scores=importance) - always + always
gate(full on pool(32, mean, stride=16, tail=drop), selected, local(left=511), name=branches)
