# Causal video (HunyuanVideo's autoencoder): frames see themselves and the frames before
# paper:   Kong et al. 2024, HunyuanVideo: A Systematic Framework for Large Video Generative Models
# config:  frames of 16 x 16 positions
# length:  4352
# equals:  diffusers' prepare_causal_attention_mask
# checked: diffusers 0.42.1 (diffusers_hunyuan_vae)

param frame = 256
blocks(frame) { causal }
