# Sliding tile attention of images: windows of tiles in height and width
# paper:   Zhang et al. 2025, Fast Video Generation with Sliding Tile Attention
# config:  64 x 64 latents in tiles of 8 x 8, windows of 3 x 3 tiles
# length:  4096
# equals:  the tokens in the order of their tiles
# checked: attn_gym 0.0.17 (attn_gym_sta2d)

param tile = 64
blocks(tile) { neighborhood([8, 8], radius=[1, 1], edge=shift) }
