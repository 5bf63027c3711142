let grid = neighborhood([4, 4], radius=[1, 1])
let near = local(2) & causal
(full + near on pool(2, mean) + grid on memory(16) + blocks(parts=2) { diagonal } on stream(g, 16)
 + random(2, avoid=strided(2)) on compressed(4, rate=2) + rows([0], projection=p) on encoder)
