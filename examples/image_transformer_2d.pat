# Image Transformer, 2-D local attention: causal in the order of the query blocks, not of the raster
# paper:   Parmar et al. 2018, Image Transformer, section 3.1
# config:  rows of 96 (32 pixels of 3 channels), query blocks 16 x 16, flanges 16 above, 32 beside
# length:  3072
# equals:  Tensor2Tensor's masked_local_attention_2d

let W = 96
let same_rows = where(i // W // 16 == j // W // 16)
let before = where(i // W > j // W) + where(i // W == j // W and j <= i)
let own = same_rows & where(i % W // 16 == j % W // 16) & before
let left = same_rows & where(j % W < i % W // 16 * 16 and j % W >= i % W // 16 * 16 - 32)
let top = (
    where(j // W < i // W // 16 * 16 and j // W >= i // W // 16 * 16 - 16)
    & where(j % W < i % W // 16 * 16 + 48 and j % W >= i % W // 16 * 16 - 32)
)
own + left + top
