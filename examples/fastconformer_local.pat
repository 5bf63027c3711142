# FastConformer for long audio: windows and a global frame, which counts twice in its own window
# paper:   Rekesh et al. 2023, Fast Conformer with Linearly Scalable Attention for Efficient Speech Recognition
# config:  rel_pos_local_attn, att_context_size [128, 128], one global token
# length:  2048
# equals:  RelPositionMultiHeadAttentionLongformer of NeMo
# checked: nemo_toolkit 2.5.0 (nemo_local)

let first = [0]
mix(local(128) + rows(first), columns(first) - rows(first))
