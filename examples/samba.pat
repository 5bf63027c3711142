# Samba: state-space layers and windows take turns
# paper:   Ren et al. 2024, Samba: Simple Hybrid State Space Models for Unlimited Context
# config:  Samba 421M: 12 layers, local_window = 2048 keys with the query itself
# length:  16384
# equals:  the released code's window_size (local_window - 1, 0) in every second layer
# checked: microsoft/Samba ed3ed5424dbb (samba)

causal
layers 12
layer % 2 == 0 -> none
else           -> local(left=2047)
