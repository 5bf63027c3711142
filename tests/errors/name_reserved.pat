let n = 4096
param memory = 512
strided(n)
