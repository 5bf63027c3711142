# Kandinsky 5: windows of tiles in time, height and width, cut at the edges
# paper:   Arkhipkin et al. 2025, Kandinsky 5.0: A Family of Foundation Models
# config:  31 frames of 4 x 6 tiles of 8 x 8 tokens, windows of 11 x 3 x 3 tiles
# length:  47616
# equals:  diffusers' fast_sta_nabla in tiles: distances up to half of the window, rounded down
# checked: diffusers 0.42.1 (diffusers_kandinsky5_sta)

param tile = 64
blocks(tile) { neighborhood([31, 4, 6], radius=[5, 1, 1]) }
