layers 2
heads (layer + 1)
param w = 2 * layer
local(w)
