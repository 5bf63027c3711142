# length: 256
causal
let whole = global([0, 1])
local(left=15) + whole
