heads 4
local(2 ** layer + head)
