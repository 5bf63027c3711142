heads 12
head < 6 -> local(4)
else -> full
let w = 4
causal
layers 2
