heads 2
local(4)
head == 1 -> none
