lets w = 4
hedas 12
layer 12
local(w)
