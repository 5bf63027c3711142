# Titans, memory as context: segments, and learned persistent tokens in front of each
# paper:   Behrouz et al. 2025, Titans: Learning to Memorize at Test Time
# config:  segments of 128 tokens, 4 persistent tokens
# length:  2048
# equals:  titans-pytorch's create_mac_block_mask without sliding windows
# checked: titans-pytorch 0.5.5 (titans_mac)
# beyond:  a neural memory that is trained at test time

param size = 128
causal
full on persistent(4) + segment(size)
