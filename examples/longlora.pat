# LongLoRA's shifted sparse attention, in training: groups, moved by half of one in half of the heads
# paper:   Chen et al. 2024, LongLoRA: Efficient Fine-tuning of Long-Context Large Language Models
# config:  Llama 2 7B at 8192: 32 heads, groups of 2048
# length:  8192
# equals:  the paper's figure; the released code wraps the last half group round to the first, which
#          then sees the future: here both are short groups
# beyond:  low-rank updates, with embeddings and norms trained too

causal
heads 32
let group = 2048
head < heads // 2 -> segment(group)
else              -> where((i + group // 2) // group == (j + group // 2) // group)
