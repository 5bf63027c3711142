heads = 12
layers: 12
local(4)
