# Image spans (Gemma 3): causal, tokens of an image also see the rest of their image
# paper:   Gemma Team 2025, Gemma 3 Technical Report
# config:  windows of 1024 in five layers of six; `end` is the position behind the image that a
#          token is in, and i + 1 of a token of text
# length:  8192
# equals:  (j <= i, or i and j are in one image), and i - j < 1024 in the layers with a window
# checked: transformers 5.23.0 (hf_gemma3_images)

layers 34
layer % 6 == 5 -> before(end)
else           -> before(end) & where(i - j < 1024)
