# Decision Transformer: returns, states and actions in turn
# paper:   Chen et al. 2021, Decision Transformer: Reinforcement Learning via Sequence Modeling
# config:  Atari: 6 layers, 8 heads, 30 steps of three tokens (50 for Pong)
# length:  90
# equals:  the GPT model of the released code: causal over the 90 tokens
# beyond:  an encoder for each kind of token, and actions predicted from states

causal
