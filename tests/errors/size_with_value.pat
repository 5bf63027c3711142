size prefix = 4
local(prefix)
