# Lookahead decoding: a text, n-grams drafted in parallel columns, and n-grams to verify
# paper:   Fu et al. 2024, Break the Sequential Dependency of LLM Inference Using Lookahead Decoding
# config:  a text of 1024, n-grams of 5: 4 levels of 15 columns, then guesses of 4 tokens
# length:  1144
# equals:  levels see the first one up to their column and the levels below in their column
# checked: hao-ai-lab/LookaheadDecoding eed010da9c7b (lookahead)

param text = 1024
param width = 15
param levels = 4
let guesses = text + width * levels
let drafted = j < width and j <= i % width or i % width == j % width
causal
let verified = within(guesses:) { segment(levels) } + rows([guesses:]) & columns([text])
columns([:text]) + within(text:guesses) { where(drafted) } + verified
