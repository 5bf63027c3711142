let a = local(1) + strided(2) + strided(3) + strided(5) + strided(7) + strided(11) + strided(13)
let b = ((a - none) & a) + (a & a) + (a & a) + (a & a) + (a & a) + (a & a) + (a & a) + (a & a)
let c = (b & b) + (b & b) + (b & b) + (b & b) + (b & b) + (b & b) + (b & b) + (b & b) + (b & b)
let d = (c & c) + (c & c) + (c & c) + (c & c) + (c & c) + (c & c) + (c & c) + (c & c) + (c & c)
d
