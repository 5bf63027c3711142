let a = b + 1
let b = a + 1
let c = c
local(a + b + c)
