layers 2
heads 12
layer == 0 or head < 6 -> local(4)
