let w = 256
param w = 512
local(w)
