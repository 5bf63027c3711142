# BigBird, extended transformer construction: blocks of text and global tokens of their own
# paper:   Zaheer et al. 2020, Big Bird: Transformers for Longer Sequences
# config:  base: 12 layers, 12 heads, blocks of 84, 256 global tokens, no random blocks
# length:  4096
# equals:  the paper's rows: the text's see three blocks and all global tokens, the global tokens'
#          see everything
# beyond:  a contrastive loss that trains the global tokens

layers 12
heads 12
blocks(84) { local(1) } + full on stream(g, 256)

rows g
full + full on stream(g, 256)
