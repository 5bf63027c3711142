layers 6
layer == 2, 5 -> local(1)
else -> full
