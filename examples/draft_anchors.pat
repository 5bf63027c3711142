# Draft anchors (DFlash), training: blocks of drafted tokens behind a text, each from its anchor on
# paper:   Chen et al. 2026, DFlash: Block Diffusion for Flash Speculative Decoding
# config:  `anchor` of a drafted token is the position from which its block drafts, of the token i
#          of the text i + 1; `draft` numbers the blocks, and is -1 in the text
# length:  4096
# equals:  a drafted token sees the text before its anchor and its own block, the text is causal

before(anchor) + same(draft)
