# Emformer: segments of speech with frames before them, and copies of the frames behind each
# paper:   Shi et al. 2021, Emformer: Efficient Memory Transformer Based Acoustic Model for Low Latency Streaming
# config:  emformer_rnnt_base of torchaudio: segments of 16 frames, 30 before, copies of the 4 behind
# length:  512
# equals:  _EmformerImpl without memory, whose copies come first; `segments` is ceil(n / 16)
# checked: torchaudio 2.11.1 (torchaudio_emformer_streams)

param segments = 32
param size = 16
param left = 30
param right = 4

(where(i // size * size - left <= j and j < i // size * size + size)
 + where(j // right == i // size) on stream(ahead, right * segments))

rows ahead
(where(i // right * size - left <= j and j < i // right * size + size)
 + segment(right) on stream(ahead, right * segments))
