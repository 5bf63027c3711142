let half = width // 2
let width = 512
local(half) + strided(width)
