# Linformer: 256 learned mixtures of all positions
# paper:   Wang et al. 2020, Linformer: Self-Attention with Linear Complexity
# config:  k = 256 at n = 1024; `project_weights` holds E and F, fixed to one length
# length:  1024
# equals:  the paper's linear attention, with E and F shared by the heads

full on project(256)
