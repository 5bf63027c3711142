let a = local(1)
a += strided(4)
