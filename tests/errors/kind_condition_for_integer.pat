heads 2
local(head == 1)
