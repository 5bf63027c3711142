# given: width=wide
param width = 256
local(width)
