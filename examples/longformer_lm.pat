# Longformer, the character model: windows grow with depth, two heads on top are dilated
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer, appendix B
# config:  small model, 12 layers, 8 heads; windows 32 at the bottom to 512 on top
# length:  8192
# equals:  the kernel of the paper with autoregressive=True (its dilation 0 is no gap, our 1)

causal
layers 12
heads 8
let w = 32 * 2 ** min(layer // 2, 4)

layer >= 6 and head < 2 -> local(left=w - 1, dilation=layer // 2 - 1)
else                    -> local(left=w - 1)
