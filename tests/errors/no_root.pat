layers 4
local(isqrt(layer - 2)) + local(ceil_log2(layer))
