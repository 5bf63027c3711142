# teach: 1024
causal
layers 2
layer == 0 -> columns(period(128, 127:128))
else       -> segment(128)
