# Gemma 3: five layers with a window, then one without
# paper:   Gemma Team 2025, Gemma 3 Technical Report
# config:  Gemma 3 1B: 26 layers, sliding_window = 512 keys with the query itself
# length:  32768
# equals:  Transformers' Gemma3 text model
# checked: transformers 5.23.0 (hf_gemma3)

causal
layers 26
layer % 6 == 5 -> full
else           -> local(left=511)
