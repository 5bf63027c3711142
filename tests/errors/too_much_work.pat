layers 256
heads 256
local(layer + head) + strided(layer + head + 1) + columns([layer])
