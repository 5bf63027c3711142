# FastConformer, streaming with look-ahead in chunks: a chunk sees itself and some chunks before it
# paper:   Noroozi et al. 2024, Stateful Conformer with Cache-based Inference for Streaming ASR
# config:  stt_en_fastconformer_hybrid_large_streaming_multi: att_context_size [70, 13]
# length:  512
# equals:  ConformerEncoder of NeMo, `chunked_limited`
# checked: nemo_toolkit 2.5.0 (nemo_chunked)

param left = 70
param right = 13
segment(right + 1, back=left // (right + 1))
