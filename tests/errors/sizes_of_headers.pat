heads 0
local(4)
