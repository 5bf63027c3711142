# given: prefix=0-4
size prefix
local(prefix)
