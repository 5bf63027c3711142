# Sliding tile attention (HunyuanVideo): windows of tiles in time, height and width, with a text
# paper:   Zhang et al. 2025, Fast Video Generation with Sliding Tile Attention
# config:  30 x 48 x 80 latents in tiles of 6 x 8 x 8, windows of 3 x 3 x 3 tiles, 256 tokens of text
# length:  115456
# equals:  the tokens in the order of their tiles, the text behind them
# checked: attn_gym 0.0.17 (attn_gym_sta3d)

param text = 256
param tile = 384
let window = neighborhood([5, 6, 10], radius=[1, 1, 1], edge=shift)
within(:-text) { blocks(tile) { window } } + global([-text:])
