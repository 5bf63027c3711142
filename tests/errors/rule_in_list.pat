layers 6
layer in [2, 5] -> full
else -> local(4)
