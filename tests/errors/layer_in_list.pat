layers 6
layer in [2, 5] -> local(1)
else -> full
