# given: widht=128 depth=3
param width = 256
local(width)
