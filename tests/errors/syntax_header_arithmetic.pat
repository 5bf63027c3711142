heads 2 * 6
local(4)
