# Gemma 2: windows and full attention take turns, scores are capped
# paper:   Gemma Team 2024, Gemma 2: Improving Open Language Models at a Practical Size
# config:  Gemma 2 2B: 26 layers, sliding_window = 4096 keys with the query itself, cap 50
# length:  8192
# equals:  Transformers' Gemma2 text model on rotated q and k
# checked: transformers 5.23.0 (hf_gemma2)

causal
layers 26
layer % 2 == 0 -> local(left=4095) with softcap(50)
else           -> full with softcap(50)
