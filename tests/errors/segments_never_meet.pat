# teach: 1000
layers 2
layer == 0 -> segment(128)
else       -> segment(256)
