let w = 4
local(w) + w
