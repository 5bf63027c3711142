# OpenFold3, atoms: blocks of queries see a window of keys round them, moved inside at both ends
# paper:   AlQuraishi et al. 2025, OpenFold3-preview
# config:  blocks of 32 atoms, windows of 128
# length:  1024
# equals:  get_block_indices of the released code
# checked: openfold3 0.5.0 (openfold3_atoms)

param queries = 32
param keys = 128
let begin = max(0, min(i // queries * queries - (keys - queries) // 2, n - keys))
where(begin <= j and j < begin + keys)
