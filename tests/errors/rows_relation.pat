heads 2
local(4) + full on stream(g, 4)
rows g
head == 0 -> global([0]) + blocks(parts=2) { full } + rows([0], projection=p) + neighborhood([8], radius=[1], edge=clip)
else      -> local(2) + contextual(4)
