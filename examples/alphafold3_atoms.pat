# AlphaFold 3, atoms: blocks of queries see a window of keys round them, cut at both ends
# paper:   Abramson et al. 2024, Accurate structure prediction of biomolecular interactions
# config:  blocks of 32 atoms, windows of 128
# length:  1024
# equals:  sequence-local atom attention of Boltz, Chai-1 and Protenix
# checked: boltz 2.2.1 (boltz_atoms)

param queries = 32
param keys = 128
let begin = i // queries * queries - (keys - queries) // 2
where(begin <= j and j < begin + keys)
