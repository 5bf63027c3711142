heads = 12
let w 4
local(w) & & full
