# Longformer, chunks without overlap: every chunk sees itself and its two neighbours
# paper:   Beltagy et al. 2020, Longformer: The Long-Document Transformer
# config:  allenai/longformer, attention_mode sliding_chunks_no_overlap, attention_window 256
# length:  4096
# equals:  sliding_chunks_no_overlap_matmul_qk; there zero padding takes mass at both ends
# checked: allenai/longformer caefee668e39 (allenai_longformer_nooverlap)

layers 12
heads 12
segment(256, back=1, ahead=1)
