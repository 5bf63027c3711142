heads 2
strided(0) + segment(-4) + local(4, dilation=0) + random(0) + blocks(0) { full }
