causal
heads 12
heads 16
causal
local(4)
