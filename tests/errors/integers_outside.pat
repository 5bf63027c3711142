layers 2
local(tin[i]) + columns([tin[j]])
