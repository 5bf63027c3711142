causal
local(4) + full on project(8)
