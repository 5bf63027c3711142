# Dynamic chunks (U2, WeNet, SpeechBrain, Seamless): a chunk sees itself and some chunks before it
# paper:   Zhang et al. 2020, Unified Streaming and Non-streaming Two-pass End-to-end Model for Speech Recognition
# config:  chunks of 16 frames, four before; drawn anew for each batch in training
# length:  512
# equals:  DynChunkTrain of SpeechBrain, the chunked attention of Seamless
# checked: speechbrain 1.1.2 (speechbrain_dct), transformers 5.23.0 (hf_seamless_v2)

param chunk = 16
param before = 4
segment(chunk, back=before)
