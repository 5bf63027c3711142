layers 4
local(2 ** (layer - 1))
