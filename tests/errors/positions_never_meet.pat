# teach: 1000
layers 2
layer == 0 -> local(64, dilation=6)
else       -> strided(4)
