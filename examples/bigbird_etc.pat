# BigBird, extended transformer construction: the rows of the text
# paper:   Zaheer et al. 2020, Big Bird: Transformers for Longer Sequences
# config:  base: blocks of 84, 256 global tokens of their own, no random blocks
# length:  4096
# equals:  the paper's text rows, in one softmax; rows of the global tokens are a second, full call
# beyond:  a contrastive loss that trains the global tokens

blocks(84) { local(1) } + full on stream(g, 256)
