# BigBird, internal transformer construction
# paper:   Zaheer et al. 2020, Big Bird: Transformers for Longer Sequences
# config:  bigbird-roberta-base: blocks of 64, 3 random blocks a row out of the first 1024 tokens
# length:  4096
# equals:  Transformers' BigBirdModel(attention_type="block_sparse") in training, with draws of
#          our own; a block drawn twice counts once
# checked: transformers 5.23.0 (hf_bigbird)

layers 12
heads 12
blocks(64) { local(1) + global([0, -1]) + random(3, pool=1:16) }
