layers 3
layer == 0 -> local(4) - offsets(slash)
layer == 1 -> within(2:) { offsets(slash) }
else -> local(4) + offsets(slash) on encoder
