# What windows.pat is compared with: every character sees all before it, in every layer
causal
layers 4
full with rotary(10000)
