heads 1000
layers 1000
local(4)
